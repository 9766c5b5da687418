import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Pool } from 'pg';

import { foundMessages, foundThreads, RANKED } from '../../libs/domain/search/search-sql.js';
import { searchQuery } from '../../libs/domain/search/search-query.js';

import { LoadProcess } from './api/load-process.js';
import { withClient } from './database.js';
import { startApp, startServers } from './product.js';
import { closingLine, isMet, machine, quantile, round, table, type Target } from './report.js';
import { questions, randomFrom } from './search/corpus.js';
import { seedOnce } from './seed-once.js';
import { addLetters, indexAll, seedSearch, TOKEN } from './search/seed.js';

const HELP = `npm run bench:search -- [--messages N] [--accounts N] [--largest N] [--seconds N] [--keep DIR]

  --messages  in the database, 1000000 by default, over --accounts (46), of which the one that is searched has --largest
              (100000)
  --seconds   length of a turn, 2 by default; each kind of question has one
  --keep      keep the seeded database in this folder and use it again next time`;

const PAGE = { limit: 40, offset: 0 };
const CLIENTS = 2;
const WANTED_P99_MS = 150;
/** New mail with which the pace of the index is measured. */
const LATE = 5000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '1000000' },
      accounts: { type: 'string', default: '46' },
      largest: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '2' },
      keep: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const dir = values.keep ?? mkdtempSync(path.join(tmpdir(), 'postrider-search-'));
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755); // as root, PostgreSQL runs as another user
  console.log(machine());
  try {
    const size = {
      messages: Number(values.messages),
      accounts: Number(values.accounts),
      largest: Number(values.largest),
    };
    await seedOnce(dir, size, seedSearch);
    await measure(dir, Number(values.seconds));
  } finally {
    if (values.keep === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

interface Subject {
  readonly id: string;
  readonly number: number;
}

async function measure(dir: string, seconds: number): Promise<void> {
  const servers = await startServers(dir);
  const stops: (() => unknown)[] = [() => servers.stop()];
  try {
    const api = await startApp('api', servers.environment);
    stops.push(() => api.stop());
    const load = new LoadProcess();
    stops.push(() => load.stop());
    const pool = new Pool({ connectionString: servers.postgres.url, max: CLIENTS });
    stops.push(() => pool.end());
    const { rows } = await pool.query<Subject>(
      `SELECT a.id, s.number FROM accounts a JOIN search_accounts s ON s.account_id = a.id WHERE a.name = 'Owner 0'`,
    );
    const origin = `http://127.0.0.1:${servers.environment['PORT']}`;
    report(await allKinds(load, pool, rows[0]!, origin, seconds), await pace(servers.postgres.url, rows[0]!));
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

interface Measured {
  readonly name: string;
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  readonly found: number;
}

async function allKinds(load: LoadProcess, pool: Pool, subject: Subject, origin: string, seconds: number) {
  const { rows } = await pool.query<{ body: string }>(
    `SELECT body FROM message_bodies WHERE account_id = $1 ORDER BY md5(message_id) LIMIT 200`,
    [subject.id],
  );
  const measured: Measured[] = [];
  for (const [kind, list] of Object.entries(questions(rows.map(({ body }) => body)))) {
    for (const what of ['messages', 'threads'] as const) {
      const paths = list.map((q) => `/${what}/search?limit=${PAGE.limit}&q=${encodeURIComponent(q)}`);
      const stretch = { origin, token: TOKEN, paths, clients: CLIENTS };
      await load.run({ ...stretch, seconds: 0.5 });
      const { latencies } = await load.run({ ...stretch, seconds });
      const { times, found } = await bare(pool, subject, what, list, seconds);
      measured.push({ name: `${what}: ${kind}`, ours: latencies, bare: times, found });
    }
  }
  return measured;
}

/** The same query without anything around it: ids only. */
async function bare(pool: Pool, { id, number }: Subject, what: string, list: readonly string[], seconds: number) {
  const queries = list.map((q) => {
    const query = searchQuery(number, q);
    return what === 'messages' ? foundMessages(id, query, PAGE) : foundThreads(id, query, PAGE, RANKED);
  });
  const times: number[] = [];
  let [asked, found] = [0, 0];
  const end = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const { text, values } = queries[asked++ % queries.length]!;
      const sent = performance.now();
      const { rows } = await pool.query<{ id: string | null }>(text, [...values]);
      times.push(performance.now() - sent);
      found += rows.filter((row) => row.id !== null).length;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { times, found: found / times.length };
}

/** Messages a second that come into the index after they came into the database. */
async function pace(url: string, { id }: Subject): Promise<number> {
  await withClient(url, async (client) => {
    await client.query(
      `UPDATE search_accounts SET scan_after = (SELECT max(id) FROM messages WHERE account_id = $1)
      WHERE account_id = $1`,
      [id],
    );
    await addLetters(client, id, LATE, Math.floor(Date.now() / 1000), randomFrom(LATE));
  });
  const began = performance.now();
  await indexAll(url);
  return LATE / ((performance.now() - began) / 1000);
}

function report(measured: readonly Measured[], perSecond: number): void {
  const head = ['', 'req/s', 'p50', 'p99', 'bare p50', 'bare p99', 'found a page'];
  const rows = measured.map(({ name, ours, bare: peer, found }) => [
    name,
    ...[(ours.length * 1000 * CLIENTS) / sum(ours), quantile(ours, 0.5), quantile(ours, 0.99)].map(spelled),
    ...[quantile(peer, 0.5), quantile(peer, 0.99), found].map(spelled),
  ]);
  console.log(`\n${table(head, rows)}\n\np50 and p99 in milliseconds, with ${CLIENTS} clients at a time.`);
  console.log(`Two indexers: ${Math.round(perSecond)} new messages a second.\n`);
  const side = (prefix: string, of: 'ours' | 'bare') =>
    quantile(
      measured.filter(({ name }) => name.startsWith(prefix)).flatMap((each) => each[of]),
      0.99,
    );
  const p99 = { messages: side('messages', 'ours'), threads: side('threads', 'ours') };
  const barely = { messages: side('messages', 'bare'), threads: side('threads', 'bare') };
  const targets: Target[] = Object.entries(p99).map(([what, value]) => ({
    name: `search in ${what}: p99, ms`,
    value,
    atMost: WANTED_P99_MS,
  }));
  for (const target of targets) {
    console.log(
      `${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)} (≤ ${target.atMost})`,
    );
  }
  const ratio = { messages: p99.messages / barely.messages, threads: p99.threads / barely.threads };
  console.log(closingLine('search', { ours: p99, peer: barely, ratio }, targets));
}

const spelled = (value: number): string => String(round(value, 1));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
