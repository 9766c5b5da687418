import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { Redis } from 'ioredis';
import { Client } from 'pg';

import { FolderInUse } from '../../apps/launcher/folder-lock.js';
import { type RunningPostgres, startPostgres } from '../../apps/launcher/postgres.js';
import { waitUntilGone } from '../../apps/launcher/processes.js';
import { startRedis } from '../../apps/launcher/redis.js';

const launcher = path.resolve(__dirname, '../../dist/apps/launcher');

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-own-'));
  fs.chmodSync(home, 0o755);
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a server in a process of its own, which then waits to be killed. @returns that process and the server's */
async function startElsewhere(call: string): Promise<{ starter: number; server: number }> {
  const [file] = call.split('.', 1);
  const script = `import(${JSON.stringify(pathToFileURL(path.join(launcher, `${file}.js`)).href)})
    .then((module) => module.${call.slice(call.indexOf('.') + 1)})
    .then((server) => { console.log(server.pid); setInterval(() => {}, 1000); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { starter: child.pid ?? 0, server: Number(line) };
}

/** A signal is sent in no time; dying takes a moment. */
async function killed(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  expect(await waitUntilGone(pid, 20_000)).toBe(true);
}

function childrenOf(pid: number): Array<{ pid: number; command: string }> {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => Number(row[1]) === pid).map((row) => ({ pid: Number(row[0]), command: row[2] ?? '' }));
}

describe('a PostgreSQL of our own', () => {
  const start = (): Promise<RunningPostgres> => startPostgres({ dataDir: home, database: 'mail' });

  it('keeps its data, listens on loopback only and asks for its password', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(await query(first.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const stranger = new URL(first.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toThrow(/password/);
    await first.stop();
    expect(await waitUntilGone(first.pid, 0)).toBe(true);

    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(second.adopted).toBe(false);
    await second.stop();
  });

  it('sorts text alike on every system', async () => {
    const server = await start();
    const rows = await query(server.url, `SELECT w FROM unnest(ARRAY['é', 'b', 'B', 'a', 'Z']) AS w ORDER BY w`);
    expect(rows.map((row) => Object.values(row)[0])).toEqual(['B', 'Z', 'a', 'b', 'é']);
    await server.stop();
  });

  it('is refused to a second starter while the first lives', async () => {
    const server = await start();
    await expect(start()).rejects.toThrow(FolderInUse);
    await server.stop();
    await (await start()).stop();
  });

  it('stops when its starter is killed', async () => {
    const { starter, server } = await startElsewhere(
      `postgres.startPostgres(${JSON.stringify({ dataDir: home, database: 'mail' })})`,
    );
    await killed(starter);
    expect(await waitUntilGone(server, 20_000)).toBe(true);
  });

  it('is taken over when starter and leash were killed and it lived on', async () => {
    const { starter, server } = await startElsewhere(
      `postgres.startPostgres(${JSON.stringify({ dataDir: home, database: 'mail' })})`,
    );
    for (const { pid } of childrenOf(starter).filter(({ command }) => command === 'sh')) process.kill(pid, 'SIGKILL');
    await killed(starter);

    const adopted = await start();

    expect(adopted).toMatchObject({ adopted: true, pid: server });
    expect(await query(adopted.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await adopted.stop();
    expect(await waitUntilGone(server, 0)).toBe(true);
  });

  it('recovers when server and starter were killed together', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    await first.stop();

    const second = await start();

    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('says what it is told to say', async () => {
    const settings = ['work_mem=1MB', 'max_connections=17'];
    const server = await startPostgres({ dataDir: home, database: 'mail', settings });
    expect(await query(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
    await server.stop();
    const wrong = startPostgres({ dataDir: home, database: 'mail', settings: ['no_such_setting=1'] });
    await expect(wrong).rejects.toThrow(/no_such_setting/);
    await (await start()).stop();
  });
});

describe('a Redis of our own', () => {
  it('keeps its data over a restart, and over a kill', async () => {
    const first = await startRedis({ dir: home });
    const before = new Redis(first.url);
    await before.set('kept', 'yes');
    before.disconnect();
    await first.stop();

    const second = await startRedis({ dir: home });
    const after = new Redis(second.url);
    expect(await after.get('kept')).toBe('yes');
    after.disconnect();
    process.kill(second.pid, 'SIGKILL');
    await second.ended;
    await second.stop();

    const third = await startRedis({ dir: home });
    const last = new Redis(third.url);
    expect(await last.get('kept')).toBe('yes');
    last.disconnect();
    await third.stop();
  });

  it('refuses strangers', async () => {
    const server = await startRedis({ dir: home, persist: false });
    const { host } = new URL(server.url);
    const stranger = new Redis(`redis://${host}`, { retryStrategy: () => null, enableReadyCheck: false });
    await expect(stranger.get('kept')).rejects.toThrow(/NOAUTH/);
    stranger.disconnect();
    await server.stop();
  });

  it('stops when its starter is killed, and one that lived on is replaced', async () => {
    const call = `redis.startRedis(${JSON.stringify({ dir: home })})`;
    const one = await startElsewhere(call);
    await killed(one.starter);
    expect(await waitUntilGone(one.server, 20_000)).toBe(true);

    const other = await startElsewhere(call);
    for (const { pid } of childrenOf(other.starter).filter(({ command }) => command === 'sh'))
      process.kill(pid, 'SIGKILL');
    await killed(other.starter);
    const server = await startRedis({ dir: home });
    expect(await waitUntilGone(other.server, 0)).toBe(true);
    await server.stop();
  });
});
