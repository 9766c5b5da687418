import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { freePort } from '../../apps/launcher/ports.js';

import { seedDatabase, seedSettings } from './api/seed.js';
import { withClient } from './database.js';
import { Changes } from './live/changes.js';
import { openStream } from './live/stream.js';
import { inParallel } from './live/wait.js';
import {
  migrate,
  type ProductProcess,
  type Servers,
  startApp,
  startDatabase,
  startProcess,
  startServers,
} from './product.js';
import { closingLine, isMet, machine, quantile, round, table, type Target } from './report.js';
import { residentKilobytes, usageOf } from './usage.js';

const HELP = `npm run bench:streams -- [--connections N] [--idle N] [--changes N] [--every MS] [--settle S] [--profile DIR]

  --connections  open at a time while memory is measured, 5000 by default, each of another account
  --idle         open at a time while changes are committed, 1000 by default
  --changes      how many, 500 by default, each to one of these accounts
  --every        milliseconds from one to the next, 50 by default
  --settle       seconds to wait before memory is looked at, 20 by default
  --profile      write CPU profiles of the API to this folder`;

interface Options {
  readonly connections: number;
  readonly idle: number;
  readonly changes: number;
  readonly everyMs: number;
  readonly settle: number;
  readonly profileDir: string | undefined;
}

/** A seeded account and one message of it. */
interface Subject {
  readonly id: string;
  readonly token: string;
  readonly messageId: string;
}

interface Side {
  /** A connection, in kilobytes. */
  readonly kilobytes: number;
  /** Of one core, with all connections open. */
  readonly cpu: number;
  /** From commit to listener, milliseconds. */
  readonly delays: readonly number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '5000' },
      idle: { type: 'string', default: '1000' },
      changes: { type: 'string', default: '500' },
      every: { type: 'string', default: '50' },
      settle: { type: 'string', default: '20' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const options: Options = {
    connections: Number(values.connections),
    idle: Number(values.idle),
    changes: Number(values.changes),
    everyMs: Number(values.every),
    settle: Number(values.settle),
    profileDir: values.profile,
  };
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-streams-'));
  chmodSync(dir, 0o755); // as root, PostgreSQL runs as another user
  try {
    await seed(dir, Math.max(options.connections, options.idle));
    const servers = await startServers(dir);
    try {
      const subjects = await findSubjects(servers, Math.max(options.connections, options.idle));
      const peer = await measure(servers, subjects, options, () => startPeer(servers));
      const ours = await measure(servers, subjects, options, () => startOurs(servers, options));
      report(options, ours, peer);
    } finally {
      await servers.stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function seed(dir: string, accounts: number): Promise<void> {
  const postgres = await startDatabase(dir, seedSettings);
  try {
    await migrate(postgres.url);
    await seedDatabase(postgres.url, { messages: accounts * 5, accounts: accounts + 1 }, () => {});
  } finally {
    await postgres.stop();
  }
}

/** All but the first, which the seed gives a quarter of all mail. */
function findSubjects(servers: Servers, count: number): Promise<Subject[]> {
  return withClient(servers.postgres.url, async (client) => {
    const { rows } = await client.query<{ id: string; message_id: string; n: string }>(
      `SELECT a.id, substr(a.email_address, 6, strpos(a.email_address, '@') - 6) AS n, m.id AS message_id
       FROM accounts a, LATERAL (SELECT id FROM messages WHERE account_id = a.id LIMIT 1) m
       WHERE a.email_address <> 'owner0@example.com' ORDER BY a.id LIMIT $1`,
      [count],
    );
    return rows.map((row) => ({ id: row.id, token: `token${row.n}`, messageId: row.message_id }));
  });
}

interface Started {
  readonly process: ProductProcess;
  readonly port: number;
  /** Of a stream from the beginning of the log, in which nothing stands yet or little. */
  readonly path: string;
}

async function startOurs(servers: Servers, { profileDir }: Options): Promise<Started> {
  const port = Number(servers.environment.PORT);
  const profile = profileDir ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileDir)}`] : [];
  return {
    process: await startApp('api', servers.environment, profile),
    port,
    path: '/delta/streaming?cursor=0&timeout=3600',
  };
}

async function startPeer(servers: Servers): Promise<Started> {
  const port = await freePort();
  const environment = { ...servers.environment, PORT: String(port) };
  return { process: await startProcess('dist/test/bench/streams-peer.js', environment), port, path: '/' };
}

async function measure(
  servers: Servers,
  subjects: readonly Subject[],
  options: Options,
  start: () => Promise<Started>,
): Promise<Side> {
  const memory = await withServer(start, (server) => measureMemory(server, subjects, options));
  const delays = await withServer(start, (server) => measureDelays(server, servers, subjects, options));
  return { ...memory, delays };
}

async function withServer<T>(start: () => Promise<Started>, work: (server: Started) => Promise<T>): Promise<T> {
  const server = await start();
  try {
    return await work(server);
  } finally {
    await server.process.stop();
  }
}

async function measureMemory(
  server: Started,
  subjects: readonly Subject[],
  { connections, settle }: Options,
): Promise<Pick<Side, 'kilobytes' | 'cpu'>> {
  const { pid } = server.process;
  // A few first, so that code is loaded and pools are filled.
  const first = await openAll(server, subjects.slice(0, 100));
  await sleep(3000);
  const before = residentKilobytes(pid);
  const sockets = await openAll(server, subjects.slice(0, connections));
  await sleep(settle * 1000);
  const used = usageOf(pid).cpuSeconds;
  await sleep(10_000);
  const cpu = (usageOf(pid).cpuSeconds - used) / 10;
  const kilobytes = (residentKilobytes(pid) - before) / connections;
  for (const socket of [...first, ...sockets]) socket.destroy();
  return { kilobytes, cpu };
}

function openAll(server: Started, subjects: readonly Subject[], heard: (n: number, at: number) => void = () => {}) {
  return inParallel(subjects, 16, async ({ token }, n): Promise<Socket> => {
    return openStream(server.port, server.path, token, (_, at) => heard(n, at));
  });
}

/** Changes come one after the other, each to an account on which somebody listens among all the idle ones. */
async function measureDelays(
  server: Started,
  servers: Servers,
  subjects: readonly Subject[],
  { idle, changes, everyMs }: Options,
): Promise<number[]> {
  const heardAt: (number | null)[] = subjects.map(() => null);
  const sockets = await openAll(server, subjects.slice(0, idle), (n, at) => (heardAt[n] ??= at));
  const writer = new Changes(servers.postgres.url);
  const delays: number[] = [];
  await sleep(3000);
  const started = performance.now();
  for (let change = 0; change < changes; change += 1) {
    await sleep(Math.max(0, started + change * everyMs - performance.now()));
    const n = (change * 77) % idle;
    heardAt[n] = null;
    const committed = await writer.toggle(subjects[n]!.id, subjects[n]!.messageId);
    for (let waited = 0; heardAt[n] === null && waited < 5000; waited += 1) await sleep(1);
    delays.push((heardAt[n] ?? Infinity) - committed);
  }
  await writer.close();
  for (const socket of sockets) socket.destroy();
  return delays;
}

function report({ connections, idle }: Options, ours: Side, peer: Side): void {
  const at = (side: Side, share: number) => quantile(side.delays, share);
  const row = (name: string, side: Side) => [
    name,
    String(round(side.kilobytes, 1)),
    `${round(side.cpu * 100, 1)} %`,
    ...[0.5, 0.9, 0.99, 1].map((share) => String(round(at(side, share)))),
  ];
  const head = ['', `kB each, ${connections} idle`, 'of a core', `commit to listener p50 ms, ${idle} idle`];
  console.log(`\n${table([...head, 'p90', 'p99', 'most'], [row('bare handler', peer), row('ours', ours)])}\n`);
  const targets: Target[] = [
    { name: 'memory of an idle stream, kB', value: ours.kilobytes, atMost: 25 },
    { name: 'commit to listener, p99, ms', value: at(ours, 0.99), atMost: 8 },
  ];
  for (const target of targets) {
    console.log(
      `${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)} (≤ ${target.atMost})`,
    );
  }
  const figures = (side: Side) => ({
    kilobytes: round(side.kilobytes, 1),
    p50: round(at(side, 0.5)),
    p99: round(at(side, 0.99)),
  });
  const ratio = {
    kilobytes: round(ours.kilobytes / peer.kilobytes),
    p50: round(at(ours, 0.5) / at(peer, 0.5)),
    p99: round(at(ours, 0.99) / at(peer, 0.99)),
  };
  console.log(closingLine('streams', { ours: figures(ours), peer: figures(peer), ratio }, targets));
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
