import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';

import { run } from '../../apps/cli/run.js';
import { freePort } from '../../apps/launcher/ports.js';

import { type Config, readConfig } from '#libs/config/config.js';

import { ApiClient } from './api-client.js';
import { createDatabase, createRedis, queryOnce } from './servers.js';

export interface CommandResult {
  readonly code: number;
  readonly output: string;
  readonly complaint: string;
}

export type ProcessName = 'api' | 'worker' | `worker-${number}`;

/** The built API and worker as processes of their own, and the command line in this one. */
export class Installation {
  private readonly children = new Map<string, ChildProcess>();
  private logged = '';
  /** Processes that ended though nobody had asked them to, with their last words. */
  readonly crashes: string[] = [];

  private constructor(
    readonly env: Readonly<Record<string, string>>,
    readonly client: ApiClient,
    private readonly drop: () => Promise<void>,
  ) {}

  static async create(settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
    const [database, redis] = await Promise.all([createDatabase(), createRedis()]);
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'postrider-installation-'));
    const port = String(await freePort());
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      PORT: port,
      LOG_LEVEL: 'trace',
      AUTODETECT_ONLINE: 'false',
      EGRESS_ALLOW_PRIVATE: 'true',
      CONNECT_LIMIT_PER_ADDRESS: '100000',
      CONNECT_LIMIT_PER_EMAIL: '100000',
      ...settings,
    };
    return new Installation(env, new ApiClient(`http://127.0.0.1:${port}`), async () => {
      await Promise.all([database.drop(), redis.drop()]);
      fs.rmSync(dataDir, { recursive: true, force: true });
    });
  }

  get config(): Config {
    return readConfig(this.env);
  }

  /** Everything the processes wrote. */
  get log(): string {
    return this.logged;
  }

  /** Starts `dist/apps/<name without number>/main.js` and waits until it says that it is ready. */
  async start(...names: ProcessName[]): Promise<void> {
    await Promise.all(names.map((name) => this.startOne(name)));
  }

  /** Ends the processes; the database stays. */
  async halt(): Promise<void> {
    const children = [...this.children.values()].filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    this.children.clear();
    await Promise.all(children.map((child) => ended(child, 'SIGTERM')));
  }

  /** Ends one process in order. */
  end(name: ProcessName): Promise<void> {
    return ended(this.taken(name), 'SIGTERM');
  }

  /** Ends one process as a crash would. */
  kill(name: ProcessName): Promise<void> {
    return ended(this.taken(name), 'SIGKILL');
  }

  /** A process that is to end. */
  private taken(name: ProcessName): ChildProcess {
    const child = this.children.get(name);
    if (!child) throw new Error(`${name} is not running`);
    this.children.delete(name);
    return child;
  }

  /** The process id of a running `api` or `worker`. */
  pid(name: ProcessName): number {
    return this.children.get(name)?.pid ?? 0;
  }

  async stop(): Promise<void> {
    await this.halt();
    await this.drop();
  }

  async command(
    argv: readonly string[],
    input = '',
    settings: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const output = new PassThrough();
    const stdin = new PassThrough();
    stdin.end(input);
    let [text, complaint] = ['', ''];
    output.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await run(
      argv,
      { input: stdin, output },
      (line) => (complaint += line),
      () => readConfig({ ...this.env, ...settings }),
    );
    return { code, output: text, complaint };
  }

  query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return queryOnce(this.env['DATABASE_URL'], sql, values);
  }

  /** Every row of every table as text: what somebody would find who got hold of the database. */
  async dump(): Promise<string> {
    const tables = await this.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const parts = await Promise.all(
      tables.map(({ name }) => this.query<{ line: string }>(`SELECT t::text AS line FROM "${name}" t`)),
    );
    return parts
      .flat()
      .map((row) => row.line)
      .join('\n');
  }

  private async startOne(name: string): Promise<void> {
    const entry = path.resolve(__dirname, '../../dist/apps', name.replace(/-\d+$/, ''), 'main.js');
    const child = spawn(process.execPath, [entry], {
      env: { PATH: process.env['PATH'], ...this.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.children.set(name, child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.logged += chunk.toString();
        said = `${said}${chunk.toString()}`.slice(-5000);
      });
    }
    const exit = once(child, 'exit').then(() => {
      if (this.children.get(name) === child) this.crashes.push(`${name} ended: ${said}`);
      throw new Error(`${name} ended before it was ready: ${this.logged}`);
    });
    exit.catch(() => undefined);
    await Promise.race([once(child, 'message'), exit]);
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await once(child, 'exit');
}
