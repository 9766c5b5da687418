// Loaded into a process under test by NODE_OPTIONS=--import. Writes to PROBE_DIR/<pid>.json how long its main event loop
// was held up at most since the last SIGUSR2, and the most memory it ever used.
import fs from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { watchEventLoop } from './event-loop.mjs';

const WRITE_MS = 100;

if (isMainThread && process.env.PROBE_DIR) {
  const file = path.join(process.env.PROBE_DIR, `${process.pid}.json`);
  const loop = watchEventLoop();
  let since = 0;
  const write = () => {
    const peakMb = process.resourceUsage().maxRSS / 1024;
    fs.writeFileSync(`${file}.draft`, JSON.stringify({ since, heldUpMs: loop.heldUpMs(), peakMb }));
    fs.renameSync(`${file}.draft`, file);
  };
  process.on('SIGUSR2', () => {
    loop.reset();
    since += 1;
    write();
  });
  setInterval(write, WRITE_MS).unref();
  write();
}
