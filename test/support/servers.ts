import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';
import { Client } from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** Ends every session on it, then removes it. */
  drop(): Promise<void>;
}

export interface TestRedis {
  /** A logical database of its own on the run's server. Publish/subscribe is shared by all of them, as Redis has it. */
  readonly url: string;
  /** Empties it. */
  drop(): Promise<void>;
}

/** A migrated, empty database of its own, about 60 ms: a clone of the template the run's global set-up made. */
export async function createDatabase(): Promise<TestDatabase> {
  const adminUrl = fromSetUp('TEST_DATABASE_URL');
  const template = fromSetUp('TEST_DATABASE_TEMPLATE');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY wal_log`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** An empty database, without our tables: for tests of migrations and of the launcher. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const adminUrl = fromSetUp('TEST_DATABASE_URL');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE template0 STRATEGY wal_log`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

const REDIS_DATABASES = 1024;

export async function createRedis(): Promise<TestRedis> {
  const base = fromSetUp('TEST_REDIS_URL');
  const turn = await withRedis(base, (redis) => redis.incr('postrider-test:turn'));
  const url = new URL(base);
  // Number 0 keeps the turn. Servers not started by us usually have sixteen.
  const databases = await withRedis(base, async (redis) => databasesOf(await redis.config('GET', 'databases')));
  url.pathname = `/${1 + (turn % (Math.min(databases, REDIS_DATABASES) - 1))}`;
  const flush = () => withRedis(url.href, async (redis) => void (await redis.flushdb()));
  await flush();
  return { url: url.href, drop: flush };
}

function databasesOf(answer: unknown): number {
  return Array.isArray(answer) ? Number(answer[1]) : 16;
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** On a connection of its own. */
export async function queryOnce<Row>(
  url: string | undefined,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // The query says so when the connection breaks; without a listener the test would fail.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rows as Row[];
  } finally {
    await client.end();
  }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  await queryOnce(url, sql);
}

function fromSetUp(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this test in the integration, e2e or long project`);
  return value;
}
