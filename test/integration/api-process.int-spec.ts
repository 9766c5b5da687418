import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { ApiClient } from '../support/api-client.js';
import { createDatabase, createRedis, type TestDatabase, type TestRedis } from '../support/servers.js';

const MAIN = path.resolve(__dirname, '../../dist/apps/api/main.js');

/** The built API as the launcher starts it: a process of its own with an IPC channel. */
describe('the API process', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let dataDir: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), createRedis()]);
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-api-'));
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([database.drop(), redis.drop()]);
    fs.rmSync(dataDir, { recursive: true, force: true });
  });

  function start(settings: Readonly<Record<string, string>>) {
    const child = fork(MAIN, {
      env: {
        ...process.env,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        DATA_DIR: dataDir,
        SECRET_KEYS: `a:${Buffer.alloc(32, 7).toString('base64')}`,
        LOG_LEVEL: 'error',
        ...settings,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.push(child);
    let stderr = '';
    const { stderr: output } = child;
    if (!output) throw new Error('the child has no stderr');
    output.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // Not its 'close': that never comes when it was us who closed the channel.
    const exit = Promise.all([once(child, 'exit'), once(output, 'close')]).then(([[code]]) => ({
      code: code as number | null,
      stderr,
    }));
    return { child, exit, ready: once(child, 'message').then(([message]) => message as unknown) };
  }

  async function freePort(): Promise<number> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('says that it is ready, serves, and stops on %s', async (signal) => {
    const port = await freePort();
    const { child, exit, ready } = start({ PORT: String(port) });
    expect(await ready).toEqual({ type: 'ready' });
    expect(await new ApiClient(`http://127.0.0.1:${port}`).ok('/health/ready')).toMatchObject({ status: 'ok' });
    child.kill(signal);
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it('stops when its launcher is gone', async () => {
    const { child, exit, ready } = start({ PORT: String(await freePort()) });
    await ready;
    child.disconnect();
    expect(await exit).toEqual({ code: 0, stderr: '' });
  });

  it('names the setting that keeps it from starting, in one line', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const faults: [Record<string, string>, RegExp][] = [
      [{ PORT: String(port) }, new RegExp(`^api: PORT: ${port} is already in use on 127.0.0.1\\n$`)],
      [{ PORT: 'x' }, /^api: Wrong setting: PORT: [^\n]+\n$/],
      [{ DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' }, /^api: DATABASE_URL: [^\n]+\n$/],
      [{ DATABASE_URL: `${database.url}_gone` }, /^api: DATABASE_URL: [^\n]+\n$/],
    ];
    for (const [settings, line] of faults) {
      const { code, stderr } = await start(settings).exit;
      expect(stderr).toMatch(line);
      expect(code).toBe(1);
    }
    taken.close();
  });
});
