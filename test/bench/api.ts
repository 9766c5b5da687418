import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { freePort } from '../../apps/launcher/ports.js';

import { LoadProcess } from './api/load-process.js';
import { type Case, casesFor, type Measured, measureCase, type Sides } from './api/measure.js';
import { findSubject, seedDatabase } from './api/seed.js';
import { startApp, startProcess, startServers } from './product.js';
import { closingLine, isMet, machine, round, table, type Target } from './report.js';
import { seedOnce } from './seed-once.js';

const HELP = `npm run bench:api -- [--messages N] [--accounts N] [--rounds N] [--seconds N] [--only TEXT] [--keep]

  --messages  rows in the database, 1000000 by default, over --accounts (50), a quarter of them in the largest
  --rounds    how often the two take turns at each request, 5 by default
  --seconds   length of a turn, 2 by default
  --only      only requests whose name contains this text
  --keep      keep the seeded database in the system's temp folder and use it again next time`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '1000000' },
      accounts: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const size = { messages: Number(values.messages), accounts: Number(values.accounts) };
  const dir = values.keep ? keptDir(size.messages, size.accounts) : mkdtempSync(path.join(tmpdir(), 'postrider-api-'));
  chmodSync(dir, 0o755); // as root, PostgreSQL runs as another user
  console.log(machine());
  try {
    await seedOnce(dir, size, seedDatabase);
    await measure(dir, { rounds: Number(values.rounds), seconds: Number(values.seconds), only: values.only });
  } finally {
    if (!values.keep) rmSync(dir, { recursive: true, force: true });
  }
}

/** A database seeded by other code is of no use: the folder is named after what made it. */
function keptDir(messages: number, accounts: number): string {
  const makers = [
    ...readdirSync('dist/migrations').map((name) => path.join('migrations', name)),
    ...['refresh-threads.js', 'summarize-thread.js'].map((name) => path.join('libs/domain/threads', name)),
    ...['seed.js', 'seed-sql.js'].map((name) => path.join('test/bench/api', name)),
  ];
  const hash = createHash('sha256');
  for (const file of makers.filter((name) => name.endsWith('.js')).toSorted()) {
    hash.update(readFileSync(path.join('dist', file)));
  }
  const name = `api-${messages}-${accounts}-${hash.digest('hex').slice(0, 8)}`;
  const dir = path.join(tmpdir(), 'postrider-bench', name);
  mkdirSync(dir, { recursive: true });
  return dir;
}

interface MeasureOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly only: string;
}

async function measure(dir: string, options: MeasureOptions): Promise<void> {
  const servers = await startServers(dir);
  const stops: (() => unknown)[] = [() => servers.stop()];
  try {
    const environment: NodeJS.ProcessEnv = { ...servers.environment, DATABASE_POOL_SIZE: '10' };
    const peerPort = String(await freePort());
    const api = await startApp('api', environment);
    stops.push(() => api.stop());
    const peer = await startProcess('dist/test/bench/api-peer.js', { ...environment, PORT: peerPort });
    stops.push(() => peer.stop());
    const load = new LoadProcess();
    stops.push(() => load.stop());
    const subject = await findSubject(servers.postgres.url);
    console.log(`Largest account: ${subject.threads} threads, ${subject.messages} messages\n`);
    const sides: Sides = {
      ours: `http://127.0.0.1:${environment.PORT}`,
      peer: `http://127.0.0.1:${peerPort}`,
      token: subject.token,
    };
    const measured: Measured[] = [];
    for (const each of casesFor(subject).filter(({ name }) => name.includes(options.only))) {
      measured.push(await measureCase(load, sides, each, options));
      console.log(`${each.name}: ${round(throughputRatio(measured.at(-1)!))} × the bare handler`);
    }
    report(measured);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

const throughputRatio = ({ ours, peer }: Measured): number => ours.perSecond / peer.perSecond;

function report(measured: readonly Measured[]): void {
  const head = [
    '',
    'clients',
    'ours req/s',
    'bare req/s',
    'ratio',
    'ours p50',
    'bare p50',
    'ours p99',
    'bare p99',
    'bytes',
  ];
  const rows = measured.map((each) => [
    each.name,
    String(each.clients),
    String(Math.round(each.ours.perSecond)),
    String(Math.round(each.peer.perSecond)),
    String(round(throughputRatio(each))),
    ...[each.ours.p50, each.peer.p50, each.ours.p99, each.peer.p99].map((ms) => String(round(ms))),
    each.sameBytes ? 'same' : 'same JSON',
  ]);
  console.log(`\n${table(head, rows)}\n\np50 and p99 in milliseconds.\n`);
  const targets = measured.flatMap(targetsOf);
  for (const target of targets) {
    const wanted = target.atMost === undefined ? `≥ ${target.atLeast}` : `≤ ${round(target.atMost)}`;
    console.log(`${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)} (${wanted})`);
  }
  const figures = (side: 'ours' | 'peer') =>
    Object.fromEntries(
      measured.map((each) => [
        each.name,
        { perSecond: Math.round(each[side].perSecond), p50: round(each[side].p50), p99: round(each[side].p99) },
      ]),
    );
  const ratio = Object.fromEntries(measured.map((each) => [each.name, round(throughputRatio(each), 3)]));
  console.log(closingLine('api', { ours: figures('ours'), peer: figures('peer'), ratio }, targets));
}

function targetsOf(each: Measured): Target[] {
  const kind: Case['target'] = each.target;
  if (kind === 'page') {
    return [
      { name: `${each.name}: throughput, of the bare handler's`, value: throughputRatio(each), atLeast: 1 },
      { name: `${each.name}: p99, ms`, value: each.ours.p99, atMost: each.peer.p99 },
    ];
  }
  return kind === 'deep' ? [{ name: `${each.name}: p50, ms`, value: each.ours.p50, atMost: 10 }] : [];
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
