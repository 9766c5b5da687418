import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { unpackPackages } from '../../../apps/launcher/packages.js';
import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import { usageOf } from '../usage.js';

import { mailUser } from './mail-server.js';

export interface MbsyncRun {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
}

/** Debian's isync with the libraries it needs beyond the usual ones. */
const packages = ['isync', 'libdb5.3', 'libsasl2-2'];

/**
 * Copies the whole account into a fresh Maildir.
 * @param durable with mbsync's default fsync, or without any
 * @throws when mbsync fails or does not bring `expected` messages
 */
export async function runMbsync(
  server: Dovecot,
  dir: string,
  { durable, expected }: { durable: boolean; expected: number },
): Promise<MbsyncRun> {
  const { root, libraryPath } = await unpackPackages('isync', packages);
  mkdirSync(path.join(dir, 'mail'), { recursive: true });
  const configuration = path.join(dir, 'mbsyncrc');
  writeFileSync(configuration, configurationFor(server, path.join(dir, 'mail'), durable));
  const before = usageOf(server.pid).cpuSeconds;
  const started = performance.now();
  const child = spawn(path.join(root, 'usr/bin/mbsync'), ['--config', configuration, '--quiet', '--all'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath },
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - started) / 1000;
  const serverCpuSeconds = usageOf(server.pid).cpuSeconds - before;
  const copied = countMessages(path.join(dir, 'mail'));
  if (code !== 0) throw new Error(`mbsync failed (${code}): ${complaint}`);
  if (copied !== expected) throw new Error(`mbsync copied ${copied} messages instead of ${expected}. ${complaint}`);
  return { seconds, serverCpuSeconds };
}

function configurationFor(server: Dovecot, mail: string, durable: boolean): string {
  return `FSync ${durable ? 'yes' : 'no'}

IMAPAccount bench
Host ${server.host}
Port ${server.imapPort}
User ${mailUser.address}
Pass ${mailUser.password}
SSLType None
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE

IMAPStore far
Account bench

MaildirStore near
Path ${mail}/
Inbox ${mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
SyncState *
`;
}

function countMessages(mail: string): number {
  const entries = readdirSync(mail, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && /\/(cur|new)$/.test(entry.parentPath)).length;
}
