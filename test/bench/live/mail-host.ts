import { mkdirSync } from 'node:fs';

import { ImapFlow } from 'imapflow';

import { type Dovecot, startDovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { ServerSettings } from '../../../libs/providers/contracts/connection-settings.js';

/** One of the mailboxes; all have the same password. */
export const addressOf = (n: number): string => `user${n}@example.com`;
export const PASSWORD = 'benchmark';

/** Linux gives a user 128 inotify instances by default, and each process in which somebody idles takes one. */
const PROCESSES = 50;

/** A Dovecot with room for so many mailboxes and connections at a time. */
export function startMailHost(dir: string, mailboxes: number, connections: number): Promise<Dovecot> {
  mkdirSync(dir, { recursive: true });
  return startDovecot({
    dir,
    users: Object.fromEntries(Array.from({ length: mailboxes }, (_, n) => [addressOf(n), PASSWORD])),
    settings: { extra: roomFor(connections) },
  });
}

function roomFor(connections: number): string {
  return [
    `default_client_limit = ${connections * 2 + 1000}`,
    'service imap {',
    `  client_limit = ${Math.ceil(connections / PROCESSES)}`,
    `  process_limit = ${PROCESSES * 2}`,
    '  service_count = 0',
    '  vsz_limit = 0',
    '}',
    'service imap-login {',
    '  vsz_limit = 0',
    '}',
  ].join('\n');
}

export const settingsFor = (host: Dovecot, n: number): ServerSettings => ({
  host: host.host,
  port: host.imapPort,
  security: 'none',
  username: addressOf(n),
  verifyCertificate: true,
});

/** A connection of imapflow and nothing else. */
export async function mailProgram(port: number, n: number): Promise<ImapFlow> {
  const flow = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: addressOf(n), pass: PASSWORD },
    disableCompression: true,
    logger: false,
  });
  flow.on('error', (error) => console.error(`watcher ${n}:`, error));
  await flow.connect();
  return flow;
}

/** As somebody would write it who only wants to hear of new mail. */
export async function bareWatcher(port: number, n: number): Promise<ImapFlow> {
  const flow = await mailProgram(port, n);
  await flow.mailboxOpen('INBOX', { readOnly: true });
  void flow.idle();
  return flow;
}
