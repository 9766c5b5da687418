import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { freePort } from '../../apps/launcher/ports.js';
import { processIdentity, waitUntilGone } from '../../apps/launcher/processes.js';
import { readRuntime } from '../../apps/launcher/runtime.js';

import { queryOnce } from './servers.js';

const ROOT = path.resolve(__dirname, '../..');
/** What a test must not inherit from the shell that runs it. */
const CLEAN = { DATABASE_URL: '', REDIS_URL: '', SECRET_KEYS: '', HOST: '' };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real `npm start`, as a process of its own on a data folder and a port of its own. */
export class PostriderProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  private constructor(
    private readonly child: ChildProcess,
    readonly dataDir: string,
    readonly port: number,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  static async spawn(
    dataDir: string,
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<PostriderProcess> {
    const port = env.PORT === undefined ? await freePort() : Number(env.PORT);
    const child = spawn(process.execPath, [path.join(ROOT, 'scripts', 'start.mjs'), ...args], {
      cwd: ROOT,
      env: { ...process.env, ...CLEAN, DATA_DIR: dataDir, PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new PostriderProcess(child, dataDir, port);
  }

  /** Spawns it and waits until it says that it runs. @throws Error with its output when it ends before that */
  static async start(
    dataDir: string,
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<PostriderProcess> {
    const postrider = await PostriderProcess.spawn(dataDir, env, args);
    await postrider.said(/Ctrl-C stops everything/);
    return postrider;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async said(words: RegExp): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const listen = () => {
        if (words.test(this.stdout)) resolve();
      };
      this.child.stdout?.on('data', listen);
      listen();
    });
    const outcome = await Promise.race([heard, this.ended]);
    if (outcome)
      throw new Error(`ended with ${outcome.code} before it said ${words}: ${outcome.stdout}${outcome.stderr}`);
  }

  /** The settings its processes run with, from runtime.json. */
  environment(): Readonly<Record<string, string>> {
    return readRuntime(this.dataDir)?.environment ?? {};
  }

  query<Row>(sql: string): Promise<Row[]> {
    return queryOnce(this.environment()['DATABASE_URL'], sql);
  }

  /** Every process of this installation: launcher, API, worker and the databases that are its own. */
  pids(): Record<string, number> {
    const children = Object.fromEntries(
      (readRuntime(this.dataDir)?.children ?? []).map(({ name, pid }) => [name, pid]),
    );
    return { ...children, ...this.storePids(), launcher: this.pid };
  }

  private storePids(): Record<string, number> {
    const found: Record<string, number> = {};
    const postgres = path.join(this.dataDir, 'postgres');
    const cluster = fs.existsSync(postgres) && fs.readdirSync(postgres).find((name) => /^pg\d+$/.test(name));
    const files = { redis: path.join(this.dataDir, 'redis', 'server.pid') };
    const all = cluster ? { ...files, postgres: path.join(postgres, cluster, 'postmaster.pid') } : files;
    for (const [name, file] of Object.entries(all)) {
      if (fs.existsSync(file)) found[name] = Number.parseInt(fs.readFileSync(file, 'utf8'), 10);
    }
    return found;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** As Ctrl-C does. */
  async stop(): Promise<Ended> {
    if (processIdentity(this.pid) !== null) this.signal('SIGINT');
    return this.ended;
  }

  killEverything(): void {
    for (const pid of Object.values(this.pids())) process.kill(pid, 'SIGKILL');
  }
}

/** The real `npm run postrider`, in whatever runs on `dataDir`. */
export async function commandLine(dataDir: string, ...argv: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts', 'postrider.mjs'), ...argv], {
    env: { ...process.env, ...CLEAN, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The names of those that are still there after `timeoutMs`. */
export async function survivors(pids: Readonly<Record<string, number>>, timeoutMs: number): Promise<string[]> {
  const gone = await Promise.all(
    Object.entries(pids).map(async ([name, pid]) => ({ name, gone: await waitUntilGone(pid, timeoutMs) })),
  );
  return gone.filter((each) => !each.gone).map(({ name }) => name);
}
