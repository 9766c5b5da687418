import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { freePort } from '../../apps/launcher/ports.js';

import { ApiClient } from '../support/api-client.js';
import { createDatabase, createRedis, type TestDatabase, type TestRedis } from '../support/servers.js';

type Name = 'api' | 'worker';

/** The built programs as the launcher starts them: processes of their own with an IPC channel. */
describe('a process', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let dataDir: string;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), createRedis()]);
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-processes-'));
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });
  afterAll(async () => {
    await Promise.all([database.drop(), redis.drop()]);
    fs.rmSync(dataDir, { recursive: true, force: true });
  });

  function start(name: Name, settings: Readonly<Record<string, string>> = {}) {
    const child = fork(path.resolve(__dirname, '../../dist/apps', name, 'main.js'), {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        DATA_DIR: dataDir,
        SECRET_KEYS: `a:${Buffer.alloc(32, 7).toString('base64')}`,
        LOG_LEVEL: 'error',
        SYNC_BACKFILL_THREADS: '1',
        ...settings,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.add(child);
    const { stderr: output } = child;
    if (!output) throw new Error('the child has no stderr');
    let stderr = '';
    output.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // Not its 'close': that never comes when it was us who closed the channel.
    const exit = Promise.all([once(child, 'exit'), once(output, 'close')]).then(([[code]]) => {
      children.delete(child);
      return { code: code as number | null, stderr };
    });
    const ready = once(child, 'message').then(([message]) => message as unknown);
    return { child, exit, ready: () => Promise.race([ready, exit]) };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('says that it is ready, serves, and stops on %s', async (signal) => {
    const port = await freePort();
    const { child, exit, ready } = start('api', { PORT: String(port) });
    expect(await ready()).toEqual({ type: 'ready' });
    expect(await new ApiClient(`http://127.0.0.1:${port}`).ok('/health/ready')).toMatchObject({ status: 'ok' });
    child.kill(signal);
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it.each(['api', 'worker'] as const)('stops when its launcher is gone: %s', async (name) => {
    const { child, exit, ready } = start(name, { PORT: String(await freePort()) });
    expect(await ready()).toEqual({ type: 'ready' });
    child.disconnect();
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  const closed = 'postgres://a:b@127.0.0.1:1/x';
  it.each<[Name, string, () => Record<string, string>, RegExp]>([
    ['api', 'a wrong PORT', () => ({ PORT: 'x' }), /^Wrong setting: PORT: expected a whole number/],
    ['worker', 'a wrong setting', () => ({ SYNC_SESSIONS: '0' }), /^Wrong setting: SYNC_SESSIONS: expected a whole/],
    ['api', 'no database server', () => ({ DATABASE_URL: closed }), /^DATABASE_URL: .*ECONNREFUSED/],
    ['worker', 'no database server', () => ({ DATABASE_URL: closed }), /^DATABASE_URL: .*ECONNREFUSED/],
    ['api', 'no such database', () => ({ DATABASE_URL: `${database.url}_gone` }), /^DATABASE_URL: .*3D000/],
    [
      'api',
      'a server that is nowhere',
      () => ({ DATABASE_URL: 'postgres://a:b@nowhere.invalid/x' }),
      /^DATABASE_URL: .*\((ENOTFOUND|EAI_AGAIN)\)/,
    ],
  ])('does not start: %s with %s', async (name, _fault, settings, line) => {
    await expectRefusal(start(name, settings()).exit, name, line);
  });

  it('does not start on a port that is taken', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const { exit } = start('api', { PORT: String(port) });
    await expectRefusal(exit, 'api', new RegExp(`^PORT: ${port} is already in use on 127\\.0\\.0\\.1$`)).finally(() =>
      taken.close(),
    );
  });

  /** One line for people, and nothing else. */
  async function expectRefusal(exit: Promise<{ code: number | null; stderr: string }>, name: Name, line: RegExp) {
    const { code, stderr } = await exit;
    const [first = '', ...rest] = stderr.split('\n');
    expect(rest).toEqual(['']);
    expect(first.slice(0, name.length + 2)).toBe(`${name}: `);
    expect(first.slice(name.length + 2)).toMatch(line);
    expect(code).toBe(1);
  }
});
