import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { commandLine, PostriderProcess, survivors } from '../support/postrider-process.js';
import { createEmptyDatabase, createRedis } from '../support/servers.js';

const running: PostriderProcess[] = [];
let home: string;
let dataDir: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-e2e-'));
  fs.chmodSync(home, 0o755);
  dataDir = path.join(home, 'data');
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((postrider) => postrider.stop()));
  fs.rmSync(home, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}, folder = dataDir): Promise<PostriderProcess> {
  const postrider = await PostriderProcess.start(folder, env);
  running.push(postrider);
  return postrider;
}

/** A start that is expected to fail. */
async function refused(env: Record<string, string>, folder = dataDir) {
  const postrider = await PostriderProcess.spawn(folder, env);
  running.push(postrider);
  return postrider.ended;
}

const development = () => JSON.parse(fs.readFileSync(path.join(dataDir, 'development.json'), 'utf8'));

const status = async (url: string) => (await fetch(url)).status;

describe('npm start', () => {
  it('brings everything up, says how to reach it, and leaves nothing behind on Ctrl-C', async () => {
    const postrider = await start();

    expect(await status(`${postrider.url}/health/live`)).toBe(200);
    expect(await status(`${postrider.url}/health/ready`)).toBe(200);
    const file = path.join(dataDir, 'development.json');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    const { api_url, client_id, client_secret } = development();
    expect(api_url).toBe(postrider.url);
    for (const word of [api_url, `${api_url}/docs`, client_id, client_secret, 'account add'])
      expect(postrider.stdout).toContain(word);
    for (const name of ['secret-keys', 'runtime.json']) {
      expect(fs.statSync(path.join(dataDir, name)).mode & 0o777).toBe(0o600);
    }
    const pids = postrider.pids();
    expect(Object.keys(pids).toSorted()).toEqual(['api', 'launcher', 'postgres', 'redis', 'worker']);

    expect(await postrider.stop()).toMatchObject({ code: 0, stderr: '' });

    expect(await survivors(pids, 0)).toEqual([]);
    expect(fs.existsSync(path.join(dataDir, 'runtime.json'))).toBe(false);
  });

  it('finds its data again', async () => {
    const first = await start();
    const { client_id, client_secret } = development();
    await first.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const second = await start();

    expect(development()).toMatchObject({ client_id, client_secret, api_url: second.url });
    expect(await second.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await second.query('SELECT client_id FROM applications')).toEqual([{ client_id }]);
  });

  it('recovers after everything was killed', async () => {
    const first = await start();
    await first.query('CREATE TABLE kept AS SELECT 42 AS answer');
    first.killEverything();
    await first.ended;

    const second = await start();

    expect(await second.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await status(`${second.url}/health/ready`)).toBe(200);
  });

  it('takes its processes along when it is killed itself', async () => {
    const postrider = await start();
    const pids = postrider.pids();

    postrider.signal('SIGKILL');

    expect(await survivors(pids, 20_000)).toEqual([]);
  });

  it('starts a process again that was killed, and a database under the same address', async () => {
    const postrider = await start();
    const { worker = 0, redis = 0, postgres = 0 } = postrider.pids();

    process.kill(worker, 'SIGKILL');
    await postrider.said(/The worker runs again/);
    process.kill(redis, 'SIGKILL');
    process.kill(postgres, 'SIGKILL');
    await postrider.said(/Redis runs again/);
    await postrider.said(/PostgreSQL runs again/);

    expect(postrider.pids().worker).not.toBe(worker);
    expect(await postrider.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await postrider.stop()).code).toBe(0);
  });

  it('closes the databases properly however often Ctrl-C is pressed', async () => {
    const postrider = await start();
    const pids = postrider.pids();
    postrider.signal('SIGINT');
    await postrider.said(/Stopping/);
    postrider.signal('SIGINT');
    postrider.signal('SIGTERM');

    expect((await postrider.ended).code).toBe(0);
    expect(await survivors(pids, 0)).toEqual([]);
    expect(fs.readFileSync(path.join(dataDir, 'postgres', 'postgres.log'), 'utf8')).not.toMatch(
      /PANIC|immediate shutdown/,
    );
  });

  it('runs beside another copy, but not twice on one folder', async () => {
    const one = await start();
    const other = await start({}, path.join(home, 'other'));
    expect(await status(`${one.url}/health/ready`)).toBe(200);
    expect(await status(`${other.url}/health/ready`)).toBe(200);

    const again = await refused({});

    expect(again.code).toBe(1);
    expect(again.stderr).toBe(`Postrider is already running on ${dataDir}, pid ${one.pid}.\n`);
  });

  it('uses the servers it is given', async () => {
    const database = await createEmptyDatabase();
    const redis = await createRedis();
    const postrider = await start({ DATABASE_URL: database.url, REDIS_URL: redis.url });

    expect(Object.keys(postrider.pids()).toSorted()).toEqual(['api', 'launcher', 'worker']);
    expect(await status(`${postrider.url}/health/ready`)).toBe(200);

    await postrider.stop();
    await database.drop();
    await redis.drop();
  });
});

describe('npm run demo', () => {
  it('connects a mailbox, says what is in it, and how to read it', async () => {
    const demo = await PostriderProcess.start(dataDir, { EGRESS_ALLOW_PRIVATE: 'true' }, ['--demo']);
    running.push(demo);
    const [, messages = '', drafts = ''] = /is connected: (\d+) messages and (\d+) draft\./.exec(demo.stdout) ?? [];
    const [, token = ''] = /curl -s -u (\w+): /.exec(demo.stdout) ?? [];
    const counted = async (list: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await (await fetch(`${demo.url}/${list}?view=count`, { headers })).json()) as unknown;
    };
    expect(await counted('messages')).toEqual({ count: Number(messages) });
    expect(await counted('drafts')).toEqual({ count: Number(drafts) });
    expect(Number(messages)).toBeGreaterThan(20);
    expect(drafts).toBe('1');
  });
});

describe('npm run postrider', () => {
  it('works on the copy that runs, and knows where its API is', async () => {
    const postrider = await start();
    expect(await commandLine(dataDir, 'account', 'list')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No account'),
    });
    expect(postrider.environment().PORT).toBe(String(postrider.port));
  });

  it('says when none runs, but not to those who ask for help or mistype', async () => {
    const away = { code: 1, stderr: expect.stringContaining(`Postrider is not running on ${dataDir}. Start it with`) };
    expect(await commandLine(dataDir, 'account', 'list')).toMatchObject(away);
    expect((await commandLine(dataDir, 'account', '--help')).stdout).toContain('account add <email>');
    expect((await commandLine(dataDir, 'fly')).stderr).toContain('Unknown command');
  });
});

describe('npm start with a wrong setting says so in one line', () => {
  it('for a port that is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });

    const { code, stderr } = await refused({ PORT: String(port) });

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `PORT: ${port} is taken by another program; set PORT to a free one\n`,
    });
    server.close();
  });

  it.each([
    ['DATABASE_URL', 'postgres://me:secret@'],
    ['REDIS_URL', 'redis://:secret@'],
  ])('for a server in %s that takes the call and says nothing', async (setting, scheme) => {
    const server = createServer(() => undefined);
    const place = await new Promise<string>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as { port: number }).port}`));
    });

    const { code, stderr } = await refused({ [setting]: scheme + place });

    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(`^${setting}: cannot use .+\n$`) });
    server.close();
  });

  it.each([
    ['a database that does not answer', { DATABASE_URL: 'postgres://me:secret@127.0.0.1:1/mail' }, 'DATABASE_URL'],
    ['a Redis that does not answer', { REDIS_URL: 'redis://:secret@127.0.0.1:1' }, 'REDIS_URL'],
    ['a database of another kind', { DATABASE_URL: 'mysql://me:secret@127.0.0.1/mail' }, 'DATABASE_URL'],
    ['a port that is no number', { PORT: 'http' }, 'PORT'],
    ['keys that are too short', { SECRET_KEYS: 'k1:c2hvcnQ=' }, 'SECRET_KEYS'],
    ['programs that are not there', { PG_BIN: '/nowhere' }, 'PG_BIN'],
    ['a program that is not there', { REDIS_SERVER_BIN: '/nowhere/redis-server' }, 'REDIS_SERVER_BIN'],
    ['a folder that is not there', { ISPDB_DIR: '/nowhere' }, 'ISPDB_DIR'],
    ['a data folder that cannot be', { DATA_DIR: '/dev/null/data' }, 'DATA_DIR'],
    ['a data folder that the system refuses', { DATA_DIR: '/proc/data/here' }, 'DATA_DIR'],
  ])('for %s', async (_, env, setting) => {
    const { code, stderr } = await refused(env);

    expect(code).toBe(1);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(setting);
    expect(stderr).not.toContain('secret@');
  });
});
