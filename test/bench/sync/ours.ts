import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import { type SmtpPeer, startSmtp } from '../../../apps/launcher/peers/smtp.js';
import { withClient } from '../database.js';
import type { Mailbox } from '../mailbox/generate.js';
import { type ProductProcess, runCli, type Servers, startApp, startServers } from '../product.js';
import { usageOf } from '../usage.js';

import { mailUser } from './mail-server.js';

export interface OurRun {
  /** From the moment the account exists until everything is readable through the API. */
  readonly seconds: number;
  /** Until the 50 newest INBOX messages are. */
  readonly firstMailSeconds: number;
  readonly workerPeakMegabytes: number;
  readonly workerCpuSeconds: number;
  readonly postgresCpuSeconds: number;
  readonly serverCpuSeconds: number;
}

export interface OurOptions {
  readonly mailbox: Mailbox;
  /** Folder for a CPU profile of the worker. */
  readonly profileDir?: string;
}

const POLL_MS = 100;
const PATIENCE_SECONDS = 1800;

/** Syncs the account into a fresh database with the product as built. */
export async function runOurs(imap: Dovecot, dir: string, options: OurOptions): Promise<OurRun> {
  const servers = await startServers(dir);
  // Connecting an account checks its credentials for sending too.
  const smtp = await startSmtp({ users: { [mailUser.address]: mailUser.password } });
  const processes: ProductProcess[] = [];
  try {
    const profile = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(options.profileDir)}`] : [];
    const worker = await startApp('worker', servers.environment, profile);
    processes.push(worker);
    processes.push(await startApp('api', servers.environment));
    const account = () => addAccount(imap, smtp, servers.environment);
    return await measure({ imap, servers, worker, account }, options.mailbox);
  } finally {
    for (const each of processes) await each.stop();
    await smtp.stop();
    await servers.stop();
  }
}

interface Stage {
  readonly imap: Dovecot;
  readonly servers: Servers;
  readonly worker: ProductProcess;
  /** Connects the account. @returns its access token */
  readonly account: () => Promise<string>;
}

async function measure({ imap, servers, worker, account }: Stage, mailbox: Mailbox): Promise<OurRun> {
  const before = [worker.pid, servers.postgres.pid, imap.pid].map((pid) => usageOf(pid).cpuSeconds);
  const token = await account();
  const bornAt = await accountBornAt(servers.postgres.url);
  const api = new Api(`http://127.0.0.1:${servers.environment.PORT}`, token);
  const firstMailAt = await until(() => newestMailIsReadable(api, mailbox));
  const doneAt = await until(() => everythingIsReadable(api, mailbox));
  const after = [worker.pid, servers.postgres.pid, imap.pid].map((pid) => usageOf(pid).cpuSeconds);
  const [workerCpuSeconds = 0, postgresCpuSeconds = 0, serverCpuSeconds = 0] = after.map((now, n) => now - before[n]!);
  return {
    seconds: (doneAt - bornAt) / 1000,
    firstMailSeconds: (firstMailAt - bornAt) / 1000,
    workerPeakMegabytes: usageOf(worker.pid).peakMegabytes,
    workerCpuSeconds,
    postgresCpuSeconds,
    serverCpuSeconds,
  };
}

async function addAccount(imap: Dovecot, smtp: SmtpPeer, environment: NodeJS.ProcessEnv): Promise<string> {
  const server = (kind: string, host: string, port: number) =>
    `--${kind}-host ${host} --${kind}-port ${port} --${kind}-security none`.split(' ');
  const servers = [...server('imap', imap.host, imap.imapPort), ...server('smtp', smtp.host, smtp.port)];
  const args = ['account', 'add', mailUser.address, '--password-stdin', '--json', ...servers];
  const output = await runCli(environment, args, mailUser.password);
  return (JSON.parse(output) as { access_token: string }).access_token;
}

/** By the database's clock, which is this machine's: the CLI's own way home is not ours to leave out of the time. */
async function accountBornAt(url: string): Promise<number> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ born: Date }>('SELECT linked_at AS born FROM accounts'),
  );
  return rows[0]!.born.getTime();
}

class Api {
  private readonly headers: Record<string, string>;

  constructor(
    private readonly base: string,
    token: string,
  ) {
    this.headers = { authorization: `Bearer ${token}` };
  }

  async get<T>(target: string): Promise<T> {
    const response = await fetch(this.base + target, { headers: this.headers });
    if (!response.ok) throw new Error(`GET ${target} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** @returns when it held, in milliseconds since 1970 */
async function until(holds: () => Promise<boolean>): Promise<number> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`The sync did not end within ${PATIENCE_SECONDS} s`);
    await sleep(POLL_MS);
  }
  return Date.now();
}

async function newestMailIsReadable(api: Api, { newestInbox }: Mailbox): Promise<boolean> {
  const folders = await api.get<{ name: string | null }[]>('/folders');
  if (!folders.some((folder) => folder.name === 'inbox')) return false;
  const page = await api.get<{ date: number }[]>('/messages?in=inbox&limit=50');
  return page.length === newestInbox.length && page.every((message, n) => message.date === newestInbox[n]);
}

interface Status {
  readonly folders: readonly { readonly state: string; readonly total: number; readonly synced: number }[];
}

async function everythingIsReadable(api: Api, { files, distinct }: Mailbox): Promise<boolean> {
  const { folders } = await api.get<Status>('/status');
  const complete = folders.every((folder) => folder.state === 'running' && folder.synced >= folder.total);
  const total = folders.reduce((sum, folder) => sum + folder.total, 0);
  if (!complete || total !== files) return false;
  const { count } = await api.get<{ count: number }>('/messages?view=count');
  return count === distinct;
}
