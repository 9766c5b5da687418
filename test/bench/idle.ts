import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { Dovecot } from '../../apps/launcher/peers/dovecot.js';

import { addAccounts, untilWatched } from './live/accounts.js';
import { startMailHost } from './live/mail-host.js';
import { type Servers, startApp, startProcess, startServers } from './product.js';
import { closingLine, isMet, machine, round, table, type Target } from './report.js';
import { residentKilobytes, usageOf } from './usage.js';

const HELP = `npm run bench:idle -- [--accounts N] [--seconds N] [--settle N] [--only ours,peer] [--profile DIR]

  --accounts  watched mailboxes in which nothing happens, 2000 by default
  --seconds   how long they are looked at, 60 by default
  --settle    how long they are left alone before, 60 by default
  --profile   write a CPU profile of the worker to this folder`;

interface Options {
  readonly accounts: number;
  readonly seconds: number;
  readonly settle: number;
  readonly profileDir: string | undefined;
}

/** What one process used while nothing happened. */
interface Idling {
  /** Before there was any account. */
  readonly emptyKilobytes: number;
  readonly kilobytes: number;
  /** Of one core. */
  readonly cpu: number;
  /** Of one core, by those it works with. */
  readonly others: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      accounts: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '60' },
      settle: { type: 'string', default: '60' },
      only: { type: 'string', default: 'ours,peer' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const options: Options = {
    accounts: Number(values.accounts),
    seconds: Number(values.seconds),
    settle: Number(values.settle),
    profileDir: values.profile,
  };
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-idle-'));
  chmodSync(dir, 0o755); // as root, servers run as other users
  const host = await startMailHost(path.join(dir, 'imap'), options.accounts, options.accounts);
  try {
    const peer = values.only.includes('peer') ? await idlePeer(dir, host, options) : null;
    const ours = values.only.includes('ours') ? await idleWorker(dir, host, options) : null;
    report(options, ours, peer);
  } finally {
    await host.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As many bare connections in one process. */
async function idlePeer(dir: string, host: Dovecot, options: Options): Promise<Idling> {
  const environment = { ...process.env, DATA_DIR: dir, IMAP_PORT: String(host.imapPort) };
  const start = (watchers: number) =>
    startProcess('dist/test/bench/idle-peer.js', { ...environment, WATCHERS: String(watchers) });
  const empty = await start(0);
  const emptyKilobytes = residentKilobytes(empty.pid);
  await empty.stop();
  const peer = await start(options.accounts);
  try {
    return await lookAt(peer.pid, emptyKilobytes, { dovecot: host.pid }, options);
  } finally {
    await peer.stop();
  }
}

async function idleWorker(dir: string, host: Dovecot, options: Options): Promise<Idling> {
  const servers: Servers = await startServers(path.join(dir, 'ours'));
  const flags = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(options.profileDir)}`] : [];
  const worker = await startApp('worker', { ...servers.environment, SYNC_SESSIONS: String(options.accounts) }, flags);
  try {
    const emptyKilobytes = residentKilobytes(worker.pid);
    const started = performance.now();
    await addAccounts(servers, host, options.accounts);
    await untilWatched(servers, options.accounts, 600);
    console.log(`All accounts read and watched after ${round((performance.now() - started) / 1000)} s`);
    const others = { postgres: servers.postgres.pid, redis: servers.redis.pid, dovecot: host.pid };
    return await lookAt(worker.pid, emptyKilobytes, others, options);
  } finally {
    await worker.stop();
    await servers.stop();
  }
}

async function lookAt(
  pid: number,
  emptyKilobytes: number,
  others: Readonly<Record<string, number>>,
  { settle, seconds }: Options,
): Promise<Idling> {
  await sleep(settle * 1000);
  const pids = [pid, ...Object.values(others)];
  const before = pids.map((each) => usageOf(each).cpuSeconds);
  const started = performance.now();
  let kilobytes = 0;
  while (performance.now() - started < seconds * 1000) {
    await sleep(1000);
    kilobytes = Math.max(kilobytes, residentKilobytes(pid));
  }
  const elapsed = (performance.now() - started) / 1000;
  const [cpu = 0, ...rest] = pids.map((each, n) => (usageOf(each).cpuSeconds - before[n]!) / elapsed);
  const names = Object.keys(others);
  return {
    emptyKilobytes,
    kilobytes,
    cpu,
    others: Object.fromEntries(names.map((name, n) => [name, round(rest[n]!, 4)])),
  };
}

function report({ accounts }: Options, ours: Idling | null, peer: Idling | null): void {
  const each = (side: Idling) => side.kilobytes / accounts;
  const growth = (side: Idling) => (side.kilobytes - side.emptyKilobytes) / accounts;
  const percent = (share: number) => `${round(share * 100)} %`;
  const row = (name: string, side: Idling) => [
    name,
    String(Math.round(side.emptyKilobytes / 1024)),
    String(Math.round(side.kilobytes / 1024)),
    String(round(each(side), 1)),
    String(round(growth(side), 1)),
    percent(side.cpu),
    Object.entries(side.others)
      .map(([name, cpu]) => `${name} ${percent(cpu)}`)
      .join(', '),
  ];
  const rows = [...(peer ? [row('bare imapflow', peer)] : []), ...(ours ? [row('worker', ours)] : [])];
  console.log(
    `\n${table([`${accounts} accounts`, 'empty MB', 'MB', 'kB each', 'kB each, growth', 'of a core', 'others'], rows)}\n`,
  );
  const targets: Target[] = ours
    ? [
        { name: 'resident memory an account, kB', value: each(ours), atMost: 150 },
        { name: 'CPU, % of a core', value: ours.cpu * 100, atMost: 5 },
      ]
    : [];
  for (const target of targets) {
    console.log(
      `${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)} (≤ ${target.atMost})`,
    );
  }
  const figures = (side: Idling | null) =>
    side && { kilobytes: round(each(side), 1), growth: round(growth(side), 1), cpu: round(side.cpu, 4) };
  const ratio = ours &&
    peer && { kilobytes: round(each(ours) / each(peer), 3), growth: round(growth(ours) / growth(peer), 3) };
  console.log(closingLine('idle', { ours: figures(ours), peer: figures(peer), ratio }, targets));
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
