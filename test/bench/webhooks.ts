import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import Bull from 'bull';
import type { Client } from 'pg';

import { freePort } from '../../apps/launcher/ports.js';
import { AccountWriter } from '../../libs/changes/account-writer.js';
import { newId } from '../../libs/common/ids.js';
import { SecretBox } from '../../libs/common/secret-box.js';
import { readConfig } from '../../libs/config/config.js';
import { createPool } from '../../libs/database/pool.js';

import { withClient } from './database.js';
import { type Servers, startApp, startProcess, startServers } from './product.js';
import { closingLine, isMet, machine, quantile, round, table, type Target } from './report.js';

const HELP = `npm run bench:webhooks -- [--deliveries N] [--seconds S] [--profile DIR]

  --deliveries   to one endpoint, 20000 by default; half as many to one that answers in 5 ms
  --seconds      of 200 changes each to ten endpoints in turn, 15 by default
  --profile      write a CPU profile of the worker to this folder`;

const ENDPOINTS = 10;
const PER_SECOND = 200;
const BODY = JSON.stringify({ deltas: [{ date: 1, object: 'message', type: 'message.created', object_data: {} }] });

interface Bench {
  readonly servers: Servers;
  readonly db: Client;
  readonly sink: string;
  readonly applicationId: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '20000' },
      seconds: { type: 'string', default: '15' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [deliveries, seconds] = [Number(values.deliveries), Number(values.seconds)];
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-webhooks-'));
  chmodSync(dir, 0o755); // as root, PostgreSQL runs as another user
  const servers = await startServers(dir);
  const port = String(await freePort());
  const sink = await startProcess('dist/test/bench/webhooks-sink.js', { ...servers.environment, PORT: port });
  try {
    await withClient(servers.postgres.url, async (db) => {
      const { rows } = await db.query<{ id: string }>('SELECT id FROM applications');
      const bench = { servers, db, sink: `http://127.0.0.1:${port}`, applicationId: rows[0]!.id };
      const peer = await peerPace(bench, deliveries);
      const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(values.profile)}`] : [];
      const fast = await pace(bench, '/fast', deliveries, profile);
      const slow = await pace(bench, '/slow', deliveries / 2);
      const calm = await delays(bench, seconds, null);
      const beset = await delays(bench, seconds, '/hang');
      report({ peer, fast, slow, calm, beset });
    });
  } finally {
    await sink.stop();
    await servers.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const taken = async ({ sink }: Bench): Promise<number> => Number(await (await fetch(`${sink}/count`)).text());

/** Deliveries a second, from the first that is taken to the last. */
async function perSecond(bench: Bench, count: number, begin: () => Promise<unknown>): Promise<number> {
  const before = await taken(bench);
  await begin();
  let first: { readonly at: number; readonly taken: number } | null = null;
  for (;;) {
    const [so, at] = [(await taken(bench)) - before, performance.now()];
    if (!first && so > 0) first = { at, taken: so };
    if (first && so >= count) return ((so - first.taken) * 1000) / (at - first.at);
    await sleep(5);
  }
}

async function peerPace(bench: Bench, count: number): Promise<number> {
  const { environment } = bench.servers;
  const queue = new Bull('peer', environment.REDIS_URL!);
  const options = { removeOnComplete: true, removeOnFail: true };
  const data = { url: `${bench.sink}/fast`, body: BODY };
  for (let at = 0; at < count; at += 1000) {
    await queue.addBulk(Array.from({ length: 1000 }, () => ({ data, opts: options })));
  }
  const done: { stop?: () => Promise<void> } = {};
  const rate = await perSecond(bench, count, async () => {
    done.stop = (await startProcess('dist/test/bench/webhooks-peer.js', environment)).stop;
  });
  await done.stop?.();
  await queue.close();
  return rate;
}

async function webhook(bench: Bench, where: string): Promise<string> {
  const id = newId();
  await bench.db.query(
    `INSERT INTO webhooks (id, application_id, callback_url, triggers) VALUES ($1, $2, $3, '{message.created}')`,
    [id, bench.applicationId, bench.sink + where],
  );
  return id;
}

async function account(bench: Bench, applicationId = bench.applicationId): Promise<string> {
  const id = newId();
  await bench.db.query(
    `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
       organization_unit, sync_state, sync_enabled) VALUES ($1, $2, $1, $1, '', 'imap', 'imap', '{}', 'folder', 'stopped', false)`,
    [id, applicationId],
  );
  return id;
}

/** What a worker that starts finds to be delivered: all of it signed and written down. */
async function pace(bench: Bench, where: string, count: number, nodeOptions: readonly string[] = []): Promise<number> {
  const id = await webhook(bench, where);
  await bench.db.query(
    `INSERT INTO webhook_deliveries (webhook_id, id, account_id, trigger, object, object_id, attributes, occurred_at)
     SELECT $1, 'd' || lpad(n::text, 24, '0'), 'a' || n % 100, 'message.created', 'message', 'm' || n,
       '{"received_date": 1700000000, "thread_id": "t"}', now() FROM generate_series(1, $2::int) AS n`,
    [id, count],
  );
  await bench.db.query('VACUUM ANALYZE webhook_deliveries');
  const worker: { stop?: () => Promise<void> } = {};
  const rate = await perSecond(bench, count, async () => {
    worker.stop = (await startApp('worker', bench.servers.environment, nodeOptions)).stop;
  });
  await worker.stop?.();
  const { rows } = await bench.db.query(`SELECT FROM webhook_deliveries WHERE state <> 'delivered'`);
  if (rows.length > 0) throw new Error(`${rows.length} deliveries were not written down`);
  await bench.db.query('DELETE FROM webhooks');
  return rate;
}

/** Milliseconds from commit to arrival. @param trouble where one endpoint more leads */
async function delays(bench: Bench, seconds: number, trouble: string | null): Promise<number[]> {
  const accounts: string[] = [];
  // Each endpoint belongs to an application of its own, so that a change is told to one of them.
  for (let n = 0; n < ENDPOINTS; n++) {
    const applicationId = newId();
    await bench.db.query(
      `INSERT INTO applications (id, client_id, client_secret_hash, name, sealed_secret)
       SELECT $1, $1, 'x', 'Bench', $2 FROM applications LIMIT 1`,
      [applicationId, sealedFor(bench, applicationId)],
    );
    const where = trouble !== null && n === 0 ? trouble : `/timed${n}`;
    await webhook({ ...bench, applicationId }, where);
    accounts.push(await account(bench, applicationId));
  }
  const worker = await startApp('worker', bench.servers.environment);
  const pool = createPool({ url: bench.servers.postgres.url, poolSize: 4, applicationName: 'bench' }, console.error);
  const writer = new AccountWriter(pool);
  await sleep(3000);
  await fetch(`${bench.sink}/delays`);
  const begun = performance.now();
  const writes: Promise<unknown>[] = [];
  for (let n = 0; n < seconds * PER_SECOND; n++) {
    await sleep(Math.max(0, begun + (n * 1000) / PER_SECOND - performance.now()));
    writes.push(
      writer.write(accounts[n % ENDPOINTS]!, async (tx) => {
        tx.changes.record('create', 'message', `at${Date.now()}x${n}`);
      }),
    );
  }
  await Promise.all(writes);
  await sleep(2000);
  const told = (await (await fetch(`${bench.sink}/delays`)).json()) as [string, number][];
  const expected = (seconds * PER_SECOND * (ENDPOINTS - (trouble === null ? 0 : 1))) / ENDPOINTS;
  if (told.length !== expected) throw new Error(`${told.length} of ${expected} were told`);
  await worker.stop();
  await pool.end();
  await bench.db.query('DELETE FROM webhooks');
  return told.map(([, ms]) => ms);
}

/** A secret of its own, sealed as the product seals it. */
function sealedFor({ servers }: Bench, applicationId: string): string {
  return new SecretBox(readConfig(servers.environment).SECRET_KEYS).seal('benchmark-secret', applicationId);
}

interface Figures {
  readonly peer: number;
  readonly fast: number;
  readonly slow: number;
  readonly calm: readonly number[];
  readonly beset: readonly number[];
}

function report({ peer, fast, slow, calm, beset }: Figures): void {
  const p99 = (values: readonly number[]) => quantile(values, 0.99);
  const rows = [
    ['deliveries/s, bare Bull and undici', String(Math.round(peer))],
    ['deliveries/s, signed and logged', String(Math.round(fast))],
    ['… to an endpoint that takes 5 ms', String(Math.round(slow))],
    ...[0.5, 0.99].map((share) => [`commit to arrival, p${share * 100}, ms`, String(quantile(calm, share))]),
    ...[0.5, 0.99].map((share) => [`… with one of ten hanging, p${share * 100}, ms`, String(quantile(beset, share))]),
  ];
  console.log(`\n${table(['what', ''], rows)}\n`);
  const targets: Target[] = [
    { name: 'deliveries/s', value: fast, atLeast: 4000 },
    { name: 'deliveries/s at 5 ms', value: slow, atLeast: 1500 },
    { name: 'commit to arrival, p99, ms', value: p99(calm), atMost: 500 },
    { name: 'p99 beside a hanging endpoint, ratio', value: p99(beset) / p99(calm), atMost: 1.2 },
  ];
  for (const target of targets) {
    console.log(`${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)}`);
  }
  const ours = { fast: round(fast), slow: round(slow), p99: p99(calm), beset: p99(beset) };
  console.log(
    closingLine('webhooks', { ours, peer: { fast: round(peer) }, ratio: { fast: round(fast / peer) } }, targets),
  );
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
