import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { composeMessage } from './compose.js';
import { folders, planMailbox, type PlannedMessage, SENT } from './plan.js';

/** Raise it when the same parameters would give other bytes. */
const GENERATION = 1;

export interface Mailbox {
  /** A Maildir++ tree: INBOX at the root, other folders as `.Name.Sub`. */
  readonly dir: string;
  /** Files in all folders. */
  readonly files: number;
  /** Different messages: what the API must count in the end. */
  readonly distinct: number;
  readonly bytes: number;
  readonly folders: Readonly<Record<string, number>>;
  /** Arrival of the 50 newest INBOX messages, unix seconds, newest first. */
  readonly newestInbox: readonly number[];
}

export interface MailboxOptions {
  readonly messages: number;
  readonly seed?: number;
  /** Where generated mailboxes are kept; by default the system's temp folder. */
  readonly cacheDir?: string;
}

/** Makes the mailbox, or finds the one made earlier with the same parameters. */
export function generateMailbox(options: MailboxOptions): Mailbox {
  const seed = options.seed ?? 1;
  const cache = options.cacheDir ?? path.join(tmpdir(), 'postrider-bench');
  const dir = path.join(cache, `mailbox-${GENERATION}-${options.messages}-${seed}`);
  const manifest = `${dir}.json`;
  if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')) as Mailbox;
  rmSync(dir, { recursive: true, force: true });
  const planned = planMailbox(options.messages, seed);
  makeFolders(dir);
  let bytes = 0;
  for (const message of planned) bytes += writeMessage(dir, message, seed);
  const mailbox = describe(dir, planned, bytes);
  writeFileSync(manifest, JSON.stringify(mailbox, null, 2));
  return mailbox;
}

function folderDir(dir: string, folder: string): string {
  return folder === 'INBOX' ? dir : path.join(dir, `.${folder.replaceAll('/', '.')}`);
}

function makeFolders(dir: string): void {
  for (const folder of [...folders.map(([name]) => name), SENT, 'Drafts']) {
    for (const part of ['', 'cur', 'new', 'tmp']) {
      const made = path.join(folderDir(dir, folder), part);
      mkdirSync(made, { recursive: true });
      chmodSync(made, 0o777); // the server may run as another user
    }
    if (folder !== 'INBOX') writeFileSync(path.join(folderDir(dir, folder), 'maildirfolder'), '');
  }
}

/** Sizes in the name spare the server a look into each file, as when it had delivered them itself. */
function writeMessage(dir: string, message: PlannedMessage, seed: number): number {
  const source = composeMessage(message, seed);
  const name =
    `${message.at}.M${String(message.number % 1_000_000).padStart(6, '0')}P1.mail,` +
    `S=${source.length},W=${source.length + countLines(source)}:2,${message.flags}`;
  const places = message.copyIn ? [message.folder, message.copyIn] : [message.folder];
  for (const folder of places) {
    const file = path.join(folderDir(dir, folder), 'cur', name);
    writeFileSync(file, source);
    utimesSync(file, message.at, message.at); // Dovecot's INTERNALDATE
  }
  return source.length * places.length;
}

function countLines(source: Buffer): number {
  let lines = 0;
  for (const byte of source) if (byte === 10) lines += 1;
  return lines;
}

function describe(dir: string, planned: readonly PlannedMessage[], bytes: number): Mailbox {
  const counts: Record<string, number> = {};
  for (const message of planned) {
    for (const folder of message.copyIn ? [message.folder, message.copyIn] : [message.folder]) {
      counts[folder] = (counts[folder] ?? 0) + 1;
    }
  }
  const inbox = planned.filter((message) => message.folder === 'INBOX').map((message) => message.at);
  return {
    dir,
    files: Object.values(counts).reduce((sum, count) => sum + count, 0),
    distinct: planned.length,
    bytes,
    folders: counts,
    newestInbox: inbox.toSorted((a, b) => b - a).slice(0, 50),
  };
}
