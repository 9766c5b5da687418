import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import nodemailer from 'nodemailer';

import { freePort } from '../../apps/launcher/ports.js';

import { addAccounts, untilWatched } from './live/accounts.js';
import { LiveApi } from './live/api.js';
import { addressOf, PASSWORD, startMailHost } from './live/mail-host.js';
import { inParallel, until } from './live/wait.js';
import { type ProductProcess, type Servers, startApp, startProcess, startServers } from './product.js';
import { machine } from './report.js';
import { type Pace, sendReport, type Strain } from './send-report.js';
import { residentKilobytes, usageOf } from './usage.js';

const HELP = `npm run bench:send -- [--messages N] [--accounts N] [--lanes N] [--megabytes N] [--profile DIR]

  --messages   small ones, 1000 by default
  --accounts   that send them in turn, 10 by default
  --lanes      requests at a time, 16 by default
  --megabytes  of the large attachment, 20 by default
  --profile    write a CPU profile of worker and API to this folder`;

const BODY = `<p>${'Hello, this is a letter of a usual length. '.repeat(40)}</p>`;
const WARM_UP = 50;
const SAMPLE_MS = 10;

interface Options {
  readonly messages: number;
  readonly accounts: number;
  readonly lanes: number;
  readonly megabytes: number;
  readonly profileDir: string | undefined;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '1000' },
      accounts: { type: 'string', default: '10' },
      lanes: { type: 'string', default: '16' },
      megabytes: { type: 'string', default: '20' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [messages, accounts, lanes, megabytes] = [values.messages, values.accounts, values.lanes, values.megabytes].map(
    Number,
  ) as [number, number, number, number];
  const options = { messages, accounts, lanes, megabytes, profileDir: values.profile };
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-send-'));
  chmodSync(dir, 0o755); // as root, servers run as other users
  const host = await startMailHost(path.join(dir, 'imap'), accounts, accounts * 8);
  const servers = await startServers(path.join(dir, 'ours'));
  const processes: ProductProcess[] = [];
  try {
    const PORT = String(await freePort());
    const smtp = path.join('dist', 'test', 'bench', 'smtp-peer.js');
    processes.push(await startProcess(smtp, { ...servers.environment, PORT }));
    const probes = path.join(dir, 'probes');
    mkdirSync(probes);
    const accounts = await addAccounts(servers, host, options.accounts, Number(PORT));
    const clients = accounts.map((account) => new LiveApi(servers, account));
    const profiled = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
    const small = await withApps(servers, profiled, (running) => pace(servers, clients, running, options));
    const bare = await barePace(Number(PORT), options);
    // It looks into a process by writing files: not while time counts.
    const probe = ['--import', pathToFileURL(path.resolve('test/support/process-probe.mjs')).href];
    servers.environment.PROBE_DIR = probes;
    const strains = await withApps(servers, probe, (running) => large(clients[0]!, { ...running, probes }, megabytes));
    console.log(sendReport({ ...small, bare, strains }, options));
  } finally {
    for (const each of processes.toReversed()) await each.stop();
    await servers.stop();
    await host.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Apps {
  readonly worker: ProductProcess;
  readonly api: ProductProcess;
}

interface Running extends Apps {
  readonly probes: string;
}

async function withApps<T>(servers: Servers, flags: readonly string[], work: (apps: Apps) => Promise<T>): Promise<T> {
  const worker = await startApp('worker', servers.environment, flags);
  const api = await startApp('api', servers.environment, flags);
  try {
    return await work({ worker, api });
  } finally {
    await api.stop();
    await worker.stop();
  }
}

async function pace(servers: Servers, clients: readonly LiveApi[], apps: Apps, options: Options) {
  await untilWatched(servers, clients.length, 120);
  const send = (n: number) => clients[n % clients.length]!.post('/send', letter(n));
  await paced(WARM_UP, options.lanes, send);
  await copied(clients);
  const used = () => [apps.api, apps.worker].map(({ pid }) => usageOf(pid).cpuSeconds);
  const before = used();
  const ours = await paced(options.messages, options.lanes, send);
  const answered = performance.now();
  await copied(clients);
  const copiesSeconds = (performance.now() - answered) / 1000;
  const [apiCpuMs, workerCpuMs] = used().map((seconds, n) => ((seconds - before[n]!) * 1000) / options.messages);
  return { ours, copiesSeconds, apiCpuMs: apiCpuMs!, workerCpuMs: workerCpuMs! };
}

const copied = (clients: readonly LiveApi[]) =>
  until('copies of all that was sent', 240, async () => {
    const jobs = await Promise.all(clients.map((client) => client.get<{ status: string }[]>('/job-statuses')));
    return jobs.flat().every(({ status }) => status === 'successful');
  });

const letter = (n: number) => ({ subject: `Letter ${n}`, body: BODY, to: [{ email: `friend${n}@example.net` }] });

/** Does it so often, so many at a time. */
async function paced(count: number, lanes: number, send: (n: number) => Promise<unknown>): Promise<Pace> {
  const begun = performance.now();
  const numbers = Array.from({ length: count }, (_, n) => n);
  const took = await inParallel(numbers, lanes, async (n) => {
    const asked = performance.now();
    await send(n);
    return performance.now() - asked;
  });
  return { perSecond: (count * 1000) / (performance.now() - begun), took };
}

/** nodemailer and nothing else, with as many connections as requests at a time. */
async function barePace(port: number, { messages, lanes }: Options): Promise<Pace> {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: lanes,
    auth: { user: addressOf(0), pass: PASSWORD },
  });
  const send = (n: number) => {
    const { subject, body, to } = letter(n);
    return transport.sendMail({ from: addressOf(0), to: to[0]!.email, subject, html: body, text: body });
  };
  await paced(WARM_UP, lanes, send);
  try {
    return await paced(messages, lanes, send);
  } finally {
    transport.close();
  }
}

/** A large attachment on every way out. */
async function large(client: LiveApi, running: Running, megabytes: number): Promise<Strain[]> {
  const bytes = randomBytes(megabytes * 1_000_000);
  const strains: Strain[] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const [strain, result] = await strainOf(name, running, work);
    strains.push(strain);
    return result;
  };
  const rest = () => copied([client]);
  const file = await step('upload', async () => {
    const form = new FormData();
    form.append('file', new Blob([bytes]), 'large.bin');
    const [uploaded] = await client.ask<{ id: string }[]>('/files', { method: 'POST', body: form });
    return uploaded!.id;
  });
  await step('send by file id', () => client.post('/send', { ...letter(1), file_ids: [file] }));
  await step('its copy', rest);
  const draft = await step('draft', () =>
    client.post<{ id: string; version: number }>('/drafts', { ...letter(2), file_ids: [file] }),
  );
  await step('its copy', rest);
  await step('send the draft', () => client.post('/send', { draft_id: draft.id, version: draft.version }));
  await step('its copy', rest);
  const raw = await rawLetter(bytes);
  await step('send raw MIME', () =>
    client.ask('/send', { method: 'POST', headers: { 'content-type': 'message/rfc822' }, body: raw }),
  );
  await step('its copy', rest);
  return strains;
}

async function rawLetter(bytes: Buffer): Promise<Blob> {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const attachments = [{ filename: 'large.bin', content: bytes }];
  const to = 'friend@example.net';
  const { message } = await transport.sendMail({ from: addressOf(0), to, subject: 'Raw', text: 'Raw', attachments });
  return new Blob([message as Buffer]);
}

async function strainOf<T>(step: string, running: Running, work: () => Promise<T>): Promise<[Strain, T]> {
  const processes = [running.api, running.worker];
  for (const { pid } of processes) process.kill(pid, 'SIGUSR2');
  await sleep(300);
  const before = processes.map(({ pid }) => residentKilobytes(pid));
  const most = [...before];
  const look = () => processes.forEach(({ pid }, n) => (most[n] = Math.max(most[n]!, residentKilobytes(pid))));
  const timer = setInterval(look, SAMPLE_MS);
  const begun = performance.now();
  const result = await work();
  const seconds = (performance.now() - begun) / 1000;
  await sleep(300);
  clearInterval(timer);
  const [apiMb, workerMb] = most.map((kilobytes, n) => (kilobytes - before[n]!) / 1024) as [number, number];
  const [apiHeldUpMs, workerHeldUpMs] = processes.map(({ pid }) => heldUpMs(running.probes, pid)) as [number, number];
  return [{ step, seconds, apiMb, workerMb, apiHeldUpMs, workerHeldUpMs }, result];
}

function heldUpMs(probes: string, pid: number): number {
  const { heldUpMs: most } = JSON.parse(readFileSync(path.join(probes, `${pid}.json`), 'utf8')) as { heldUpMs: number };
  return most;
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
