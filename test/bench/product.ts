import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { nodeFlags } from '../../apps/launcher/node-flags.js';
import { freePort } from '../../apps/launcher/ports.js';
import { type RunningPostgres, startPostgres } from '../../apps/launcher/postgres.js';
import { type RunningRedis, startRedis } from '../../apps/launcher/redis.js';
import { newSecret } from '../../libs/common/ids.js';
import { createDataSource } from '../../libs/database/data-source.js';

/** Servers as `npm start` runs them, in a folder of their own. */
export interface Servers {
  readonly postgres: RunningPostgres;
  readonly redis: RunningRedis;
  /** For the processes of the product. */
  readonly environment: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** Starts PostgreSQL, with the product's settings and perhaps more, on a folder that is kept. */
export function startDatabase(dir: string, settings: readonly string[] = []): Promise<RunningPostgres> {
  return startPostgres({ dataDir: path.join(dir, 'postgres'), database: 'postrider', settings });
}

/** Starts PostgreSQL and Redis with the product's own settings and sets the installation up. */
export async function startServers(dir: string): Promise<Servers> {
  mkdirSync(path.join(dir, 'data'), { recursive: true });
  const postgres = await startDatabase(dir);
  const redis = await startRedis({ dir: path.join(dir, 'redis') });
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    DATA_DIR: path.join(dir, 'data'),
    PORT: String(await freePort()),
    SECRET_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    EGRESS_ALLOW_PRIVATE: 'true',
    AUTODETECT_ONLINE: 'false',
    NODE_NO_WARNINGS: '1',
  };
  const stop = async () => {
    await redis.stop();
    await postgres.stop();
  };
  try {
    const application = { client_id: newSecret(), client_secret: newSecret(), name: 'Benchmark' };
    await runCli(environment, ['setup'], JSON.stringify(application));
  } catch (error) {
    await stop();
    throw error;
  }
  return { postgres, redis, environment, stop };
}

export async function migrate(url: string): Promise<void> {
  const dataSource = createDataSource({ url, poolSize: 1, applicationName: 'bench' });
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}

export interface ProductProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the API or the worker as built. @param nodeOptions for Node itself, such as `--cpu-prof` */
export function startApp(
  app: 'api' | 'worker',
  environment: NodeJS.ProcessEnv,
  nodeOptions: readonly string[] = [],
): Promise<ProductProcess> {
  return startProcess(path.join('dist', 'apps', app, 'main.js'), environment, [...nodeFlags(app), ...nodeOptions]);
}

/** Starts a process and waits until it says that it is ready. What it logs goes to a file, as with `npm start`. */
export async function startProcess(
  program: string,
  environment: NodeJS.ProcessEnv,
  nodeOptions: readonly string[] = [],
): Promise<ProductProcess> {
  const logFile = path.join(environment.DATA_DIR ?? '.', `${program.replaceAll(path.sep, '-')}.log`);
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [...nodeOptions, program], {
    stdio: ['ignore', log, log, 'ipc'],
    env: environment,
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const ready = new Promise<true>((resolve) => {
    child.on('message', (message) => {
      if ((message as { type?: string } | null)?.type === 'ready') resolve(true);
    });
  });
  if ((await Promise.race([ready, ended])) !== true) {
    throw new Error(`${program} did not start: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
  }
  return { pid: child.pid ?? 0, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await ended;
}

/** Runs a command of the `postrider` CLI. @returns its output */
export async function runCli(environment: NodeJS.ProcessEnv, args: readonly string[], input: string): Promise<string> {
  const child = spawn(process.execPath, [path.join('dist', 'apps', 'cli', 'main.js'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`postrider ${args.join(' ')} failed (${code}): ${output}`);
  return output;
}
