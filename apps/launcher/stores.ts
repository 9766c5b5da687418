import { Redis } from 'ioredis';
import { Client } from 'pg';

import { StartFault } from '#libs/config/run-process.js';

import { FolderInUse } from './folder-lock.js';
import { startPostgres } from './postgres.js';
import { startRedis } from './redis.js';

/** A database server, ours or the user's. */
export interface Store {
  readonly url: string;
  /** For the boot line. */
  readonly description: string;
  /** Stops it when it is ours. */
  stop(): Promise<void>;
}

export interface StoreEvents {
  say(line: string): void;
  /** Our server died and did not come back. */
  lost(name: string): void;
}

const OLDEST_POSTGRES = 140_000;
const CONNECT_TIMEOUT_MS = 5000;

/** The server that DATABASE_URL names, once it answers. @throws StartFault naming the setting */
export async function givenDatabase(url: string): Promise<Store> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    const version = rows[0]?.version ?? 0;
    if (version < OLDEST_POSTGRES)
      throw new Error(`it is version ${Math.trunc(version / 10_000)}, 14 or newer is needed`);
    return { url, description: `DATABASE_URL, ${place(url)}`, stop: async () => undefined };
  } catch (error) {
    throw new StartFault(`DATABASE_URL: cannot use the PostgreSQL at ${place(url)}: ${reason(error)}`);
  } finally {
    // What matters was said before.
    await client.end().catch(() => undefined);
  }
}

/** The server that REDIS_URL names, once it answers. @throws StartFault naming the setting */
export async function givenRedis(url: string): Promise<Store> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
  });
  let fault: unknown = null;
  redis.on('error', (error) => (fault ??= error));
  // Its own time limit ends with the connection; a server that takes it may still say nothing.
  const late = setTimeout(() => {
    fault ??= new Error('it does not answer');
    redis.disconnect();
  }, CONNECT_TIMEOUT_MS);
  try {
    await redis.connect();
    await redis.ping();
    return { url, description: `REDIS_URL, ${place(url)}`, stop: async () => undefined };
  } catch (error) {
    throw new StartFault(`REDIS_URL: cannot use the Redis at ${place(url)}: ${reason(fault ?? error)}`);
  } finally {
    clearTimeout(late);
    redis.disconnect();
  }
}

/** Our own PostgreSQL. When it is killed under us it is started again at the same address. @throws StartFault */
export async function ownDatabase(dataDir: string, events: StoreEvents): Promise<Store> {
  const options = { dataDir, database: 'postrider', log: events.say };
  const server = await startPostgres(options).catch(inWords);
  const port = Number(new URL(server.url).port);
  const stop = keepRunning('PostgreSQL', server, () => startPostgres({ ...options, port }), events);
  const from = server.origin === 'npm' ? 'embedded' : server.origin;
  return { url: server.url, description: `${from}, version ${server.major}, pid ${server.pid}`, stop };
}

/** Our own Redis. When it is killed under us it is started again at the same address. @throws StartFault */
export async function ownRedis(dir: string, events: StoreEvents): Promise<Store> {
  const server = await startRedis({ dir, say: events.say }).catch(inWords);
  const stop = keepRunning('Redis', server, () => startRedis({ dir, url: server.url }), events);
  return { url: server.url, description: `${server.origin}, pid ${server.pid}`, stop };
}

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** @returns the function that stops the server for good */
function keepRunning(name: string, first: Running, again: () => Promise<Running>, events: StoreEvents) {
  let current = first;
  let stopping: Promise<void> | null = null;
  let restarting: Promise<void> = Promise.resolve();
  const watch = (server: Running) => {
    void server.ended.then(() => {
      if (!stopping) restarting = restart();
    });
  };
  const restart = async () => {
    events.say(`${name} ended unexpectedly; starting it again`);
    try {
      await current.stop(); // lets go of its folder
      current = await again();
      watch(current);
      events.say(`${name} runs again`);
    } catch (error) {
      events.say(`${name} does not start again: ${reason(error)}`);
      events.lost(name);
    }
  };
  watch(first);
  return () => (stopping ??= restarting.then(() => current.stop()));
}

/** What keeps our own servers from starting is told in their words: a stack would only hide them. */
function inWords(error: unknown): never {
  throw error instanceof FolderInUse ? error : new StartFault(reason(error));
}

/** Host, port and database of a connection address, without its credentials. */
function place(url: string): string {
  const { host, pathname } = new URL(url);
  return host + (pathname === '/' ? '' : pathname);
}

function reason(error: unknown): string {
  // A host with several addresses fails with one error per address.
  if (error instanceof AggregateError && error.errors.length) return reason(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
