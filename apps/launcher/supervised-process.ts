import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { StartFault } from '#libs/config/run-process.js';

import { exitOf, signal } from './processes.js';

export interface ProcessOptions {
  readonly name: string;
  /** The JavaScript file to run. */
  readonly entry: string;
  /** Options of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Gets everything the process writes. */
  readonly logFile: string;
  readonly say: (line: string) => void;
  /** Called whenever the process number changes. */
  readonly onChange: () => void;
}

const STOP_TIMEOUT_MS = 20_000;
const LONG_LIFE_MS = 60_000;
const LOG_LIMIT_BYTES = 20_000_000;

/** Milliseconds to wait before start number `attempt` (1 is the first after a death): 1, 2, 4 … 30 seconds. */
export function restartDelay(attempt: number): number {
  return Math.min(1000 * 2 ** (attempt - 1), 30_000);
}

/**
 * A Node process of ours that is started again when it dies. It reports `{type: 'ready'}` over its channel to us, and
 * ends by itself when that channel closes, so nothing is left behind when we are killed.
 */
export class SupervisedProcess {
  private child: ChildProcess | null = null;
  private stopping = false;
  private logStart = 0;
  private readonly wake = new AbortController();

  constructor(private readonly options: ProcessOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** The number of the running process; null between a death and the next start. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Resolves when the process is ready. @throws StartFault when it ends before that */
  async start(): Promise<void> {
    const child = this.spawn();
    const exit = exitOf(child);
    if (!(await readyOrEnded(child, exit))) {
      const words = this.words().slice(0, 3);
      throw new StartFault([...words, `The ${this.name} did not start; ${this.options.logFile} says more.`].join('\n'));
    }
    void this.keepRunning(exit, Date.now());
  }

  /** Lets the process finish what it holds; after a while, or when hurried, it is killed. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.abort();
    const child = this.child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const exit = exitOf(child);
    signal(child.pid, 'SIGTERM');
    const timer = setTimeout(() => this.kill(), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }

  kill(): void {
    if (this.child?.pid) signal(this.child.pid, 'SIGKILL');
  }

  private async keepRunning(firstExit: Promise<number | string>, firstStart: number): Promise<void> {
    let exit = firstExit;
    let started = firstStart;
    for (let attempt = 1; ; attempt++) {
      const outcome = await exit;
      if (this.stopping) return;
      if (Date.now() - started > LONG_LIFE_MS) attempt = 1;
      const delay = restartDelay(attempt);
      this.options.say(`The ${this.name} ended unexpectedly (${outcome}); starting it again in ${delay / 1000} s`);
      this.child = null;
      await sleep(delay, undefined, { signal: this.wake.signal }).catch(() => undefined);
      if (this.stopping) return;
      started = Date.now();
      const child = this.spawn();
      exit = exitOf(child);
      if (await readyOrEnded(child, exit)) this.options.say(`The ${this.name} runs again`);
    }
  }

  private spawn(): ChildProcess {
    const { entry, env, logFile, nodeFlags = [] } = this.options;
    const log = openLog(logFile);
    this.logStart = fs.fstatSync(log).size;
    try {
      this.child = spawn(process.execPath, [...nodeFlags, entry], {
        env,
        // A file rather than a pipe to us: nobody is left writing into the void when we are killed.
        stdio: ['ignore', log, log, 'ipc'],
        detached: true, // Ctrl-C in the terminal reaches only us, and we stop it in order
      });
    } finally {
      fs.closeSync(log);
    }
    this.options.onChange();
    return this.child;
  }

  /** What the process wrote for people since it was started; its log lines are JSON. */
  private words(): string[] {
    const written = fs.readFileSync(this.options.logFile).subarray(this.logStart).toString();
    return written.split('\n').filter((line) => line.trim() && !line.startsWith('{'));
  }
}

function readyOrEnded(child: ChildProcess, exit: Promise<unknown>): Promise<boolean> {
  const ready = new Promise<boolean>((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && 'type' in message && message.type === 'ready') resolve(true);
    });
  });
  return Promise.race([ready, exit.then(() => false)]);
}

/** Appends; a file that has grown large is put aside first, and the one put aside before is dropped. */
function openLog(file: string): number {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) fs.renameSync(file, `${file}.1`);
  return fs.openSync(file, 'a', 0o600);
}
