import { bareWatcher } from './live/mail-host.js';
import { inParallel } from './live/wait.js';

/** The peer of bench:idle: so many connections of imapflow that idle, and nothing else. */
const [port, count] = [Number(process.env.IMAP_PORT), Number(process.env.WATCHERS)];

await inParallel(
  Array.from({ length: count }, (_, n) => n),
  20,
  (n) => bareWatcher(port, n),
);
process.send?.({ type: 'ready' });
process.on('SIGTERM', () => process.exit(0));
