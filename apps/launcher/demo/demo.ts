import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { StartFault } from '#libs/config/run-process.js';

import { type Dovecot, startDovecot } from '../peers/dovecot.js';
import { startSmtp } from '../peers/smtp.js';
import { exitOf } from '../processes.js';

import { sampleMail, type SampleMessage } from './sample-mail.js';

export interface DemoOptions {
  /** Holds the mail servers' data; the mail of an earlier demo is kept. */
  readonly dir: string;
  readonly apiUrl: string;
  readonly cli: { readonly entry: string; readonly env: NodeJS.ProcessEnv };
  readonly say: (line: string) => void;
  /** How people call our command line, up to the command. */
  readonly command: string;
}

interface Connected {
  readonly account_id: string;
  readonly namespace_id: string;
  readonly access_token: string;
}

const ADDRESS = 'demo@example.com';
const PASSWORD = 'demo';
const SYNC_TIMEOUT_MS = 60_000;

/** Serves a sample mailbox on loopback, connects it like anybody would, and prints what to try. */
export async function startDemo({ dir, apiUrl, cli, say, command }: DemoOptions): Promise<{ stop(): Promise<void> }> {
  fs.mkdirSync(dir, { recursive: true });
  const dovecot = await startDovecot({ dir, users: { [ADDRESS]: PASSWORD }, say }).catch((error: Error) => {
    throw new StartFault(`The demo needs Dovecot. ${error.message}`);
  });
  const smtp = await startSmtp({ users: { [ADDRESS]: PASSWORD }, lmtpPort: dovecot.lmtpPort }).catch(async (error) => {
    await dovecot.stop();
    throw error;
  });
  const stop = async () => {
    await smtp.stop();
    await dovecot.stop();
  };
  try {
    fill(dovecot, sampleMail(new Date()));
    const servers = ['--imap-host', dovecot.host, '--imap-port', String(dovecot.imapPort), '--imap-security', 'none'];
    servers.push('--smtp-host', smtp.host, '--smtp-port', String(smtp.port), '--smtp-security', 'none');
    const account = await connect(cli, servers);
    const contents = await untilReadable(apiUrl, account);
    say(
      `Mailbox ${ADDRESS} (password "${PASSWORD}") is connected: ${contents}. IMAP: ${dovecot.host}:${dovecot.imapPort}, SMTP: ${smtp.host}:${smtp.port}`,
    );
    for (const line of [...commands(apiUrl, account), `  ${command} account list`, '', 'Ctrl-C stops everything.'])
      say(line);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Puts the sample into an empty mailbox; one that has mail already is left as it is. */
function fill(dovecot: Dovecot, messages: readonly SampleMessage[]): void {
  const root = dovecot.mailDir(ADDRESS);
  if (fs.existsSync(path.join(root, 'cur'))) return;
  const { uid, gid } = dovecot.owner;
  const own = (file: string) => process.getuid?.() === 0 && fs.chownSync(file, uid, gid);
  const folder = (target: string) => {
    if (fs.existsSync(target)) return;
    fs.mkdirSync(target, { mode: 0o700 });
    own(target);
  };
  folder(path.dirname(root));
  folder(root);
  for (const [index, { folder: name, flags, date, raw }] of messages.entries()) {
    const maildir = path.join(root, name);
    for (const each of [maildir, ...['cur', 'new', 'tmp'].map((kind) => path.join(maildir, kind))]) folder(each);
    const seconds = Math.trunc(date.getTime() / 1000);
    const file = path.join(maildir, 'cur', `${seconds}.M${index}.demo:2,${flags.split('').toSorted().join('')}`);
    fs.writeFileSync(file, raw, { mode: 0o600 });
    fs.utimesSync(file, date, date);
    own(file);
  }
}

async function connect(cli: DemoOptions['cli'], servers: readonly string[]): Promise<Connected> {
  const args = [cli.entry, 'account', 'add', ADDRESS, '--password-stdin', ...servers, '--json'];
  const child = spawn(process.execPath, args, { env: cli.env, stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${PASSWORD}\n`);
  let answer = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  const outcome = await exitOf(child);
  if (outcome !== 0) throw new StartFault(`The sample mailbox could not be connected (${outcome}).`);
  return JSON.parse(answer) as Connected;
}

interface Status {
  readonly folders: ReadonlyArray<{ readonly state: string }>;
}

/** @returns what can be read, in words: all of it, or what is there when waiting has to end */
async function untilReadable(apiUrl: string, { access_token }: Connected): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${access_token}:`).toString('base64')}`;
  const read = async <Body>(path: string): Promise<Body> => {
    const response = await fetch(`${apiUrl}${path}`, { headers: { authorization } });
    if (!response.ok) throw new StartFault(`The API answers ${response.status} to the demo; its log says why.`);
    return (await response.json()) as Body;
  };
  const count = async (list: string) => (await read<{ count: number }>(`/${list}?view=count`)).count;
  const deadline = Date.now() + SYNC_TIMEOUT_MS;
  for (;;) {
    const { folders } = await read<Status>('/status');
    const complete = folders.length > 0 && folders.every(({ state }) => state === 'running');
    if (complete || Date.now() > deadline) {
      const drafts = await count('drafts');
      return `${await count('messages')} messages and ${drafts} draft${drafts === 1 ? '' : 's'}`;
    }
    await sleep(100);
  }
}

function commands(apiUrl: string, { access_token: token, namespace_id }: Connected): string[] {
  return [
    '',
    'Try, in another terminal:',
    '',
    `  curl -s -u ${token}: ${apiUrl}/account`,
    `  curl -s -u ${token}: '${apiUrl}/threads?limit=3'`,
    `  curl -s -u ${token}: '${apiUrl}/messages?from=ines@harbour.example&limit=2'`,
    `  curl -s -u ${token}: '${apiUrl}/files?view=count'`,
    `  curl -s -u ${token}: '${apiUrl}/n/${namespace_id}/threads?tag=unread&view=count'`,
  ];
}
