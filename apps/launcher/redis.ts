import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { lockFolder } from './folder-lock.js';
import { PackagesUnavailable, unpackPackages } from './packages.js';
import { freePort } from './ports.js';
import { exitOf, leash, processIdentity, signal, tailOf, waitUntilGone } from './processes.js';

export interface RedisOptions {
  /** Holds configuration, log and data. Locked until `stop()` or the end of this process. */
  readonly dir: string;
  /** Keep the data over restarts (append-only file, synced every second). Default true. */
  readonly persist?: boolean;
  /** The address of an earlier start, to listen there again; a free port and a new password when left out. */
  readonly url?: string;
  /** Told when the program has to be fetched first. */
  readonly say?: (line: string) => void;
}

export interface RunningRedis {
  /** With its password. */
  readonly url: string;
  readonly pid: number;
  /** Whose program it is: its path, or `fetched` for the one unpacked into the cache folder. */
  readonly origin: string;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface RedisProgram {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly fetched?: boolean;
}

const PACKAGES = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1'];
const STOP_TIMEOUT_MS = 20_000;

/**
 * Finds a server: `REDIS_SERVER_BIN`, else valkey or redis on PATH or in the usual folders, else Debian's or Ubuntu's
 * packages unpacked into the user's cache folder. @throws Error naming the cures
 */
export async function findRedis(
  env: NodeJS.ProcessEnv = process.env,
  say?: RedisOptions['say'],
): Promise<RedisProgram> {
  if (env.REDIS_SERVER_BIN && !fs.statSync(env.REDIS_SERVER_BIN, { throwIfNoEntry: false })?.isFile()) {
    throw new Error(`REDIS_SERVER_BIN: there is no program ${env.REDIS_SERVER_BIN}`);
  }
  if (env.REDIS_SERVER_BIN) return { file: env.REDIS_SERVER_BIN, env: {} };
  const usual = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/homebrew/opt/valkey/bin', '/snap/bin'];
  const folders = [...(env.PATH ?? '').split(path.delimiter).filter(Boolean), ...usual];
  for (const name of ['valkey-server', 'redis-server']) {
    const folder = folders.find((each) => fs.existsSync(path.join(each, name)));
    if (folder) return { file: path.join(folder, name), env: {} };
  }
  try {
    const { root, libraryPath } = await unpackPackages('redis', PACKAGES, say);
    return {
      file: path.join(root, 'usr', 'bin', 'redis-server'),
      env: { LD_LIBRARY_PATH: libraryPath },
      fetched: true,
    };
  } catch (error) {
    if (!(error instanceof PackagesUnavailable)) throw error;
    const cures = 'run "apt install redis-server" or "brew install valkey", or set REDIS_URL';
    throw new Error(`Redis is needed: ${cures} (${error.message})`, { cause: error });
  }
}

/**
 * Starts a Redis of our own on a free loopback port. It stops cleanly when this process dies, however it dies.
 * @throws FolderInUse when another process runs it; Error with the server's own words when it does not start
 */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const program = await findRedis(process.env, options.say);
  const dir = path.resolve(options.dir);
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = lockFolder(dir);
  try {
    await endLeftOver(dir);
    const { child, pid, port, password, tie } = await launch(dir, program, options);
    return {
      url: `redis://:${password}@127.0.0.1:${port}`,
      pid,
      origin: program.fetched ? 'fetched' : program.file,
      ended: exitOf(child).then(() => undefined),
      stop: async () => {
        signal(pid, 'SIGTERM');
        if (!(await waitUntilGone(pid, STOP_TIMEOUT_MS))) signal(pid, 'SIGKILL');
        await waitUntilGone(pid, STOP_TIMEOUT_MS);
        tie.release();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Two servers must never write one append-only file: one that outlived its starter is stopped first. */
async function endLeftOver(dir: string): Promise<void> {
  const file = path.join(dir, 'server.pid');
  if (!fs.existsSync(file)) return;
  const [pid = '', identity] = fs.readFileSync(file, 'utf8').split(' ', 2);
  if (identity === undefined || processIdentity(Number(pid)) !== identity) return;
  signal(Number(pid), 'SIGTERM');
  if (!(await waitUntilGone(Number(pid), STOP_TIMEOUT_MS))) signal(Number(pid), 'SIGKILL');
  await waitUntilGone(Number(pid), STOP_TIMEOUT_MS);
}

interface Launched {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly password: string;
  readonly tie: { release(): void };
}

async function launch(dir: string, program: RedisProgram, { persist = true, url }: RedisOptions): Promise<Launched> {
  const before = url === undefined ? null : new URL(url);
  const password = before?.password ?? randomBytes(18).toString('hex');
  const logFile = path.join(dir, 'redis.log');
  for (let attempt = 1; ; attempt++) {
    const port = before ? Number(before.port) : await freePort();
    const conf = writeConfiguration(dir, { port, password, persist });
    const log = fs.openSync(logFile, 'w', 0o600);
    const child = spawn(program.file, [conf], {
      cwd: dir,
      env: { ...process.env, ...program.env },
      stdio: ['ignore', log, log],
      detached: true, // Ctrl-C in the terminal reaches only us
    });
    fs.closeSync(log);
    const pid = child.pid;
    const exit = exitOf(child);
    if (pid !== undefined) {
      const tie = leash(pid, 'TERM');
      fs.writeFileSync(path.join(dir, 'server.pid'), `${pid} ${processIdentity(pid) ?? ''}`);
      if (await Promise.race([exit.then(() => false), untilReady(port, password, child)])) {
        child.unref();
        return { child, pid, port, password, tie };
      }
      tie.release();
    }
    const words = tailOf(logFile);
    if (attempt >= 3 || !/address already in use/i.test(words)) {
      throw new Error(`Redis did not start (${program.file}): ${words || 'no word from it'}`);
    }
  }
}

function writeConfiguration(
  dir: string,
  { port, password, persist }: { port: number; password: string; persist: boolean },
) {
  const conf = path.join(dir, 'redis.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${dir}"`,
    'save ""',
    `appendonly ${persist ? 'yes' : 'no'}`,
    'appendfsync everysec',
    // Written half when the power went: the tail is cut off, which costs a wake-up, never work.
    'aof-load-truncated yes',
    // Queues must fail loudly rather than lose entries.
    'maxmemory-policy noeviction',
    'databases 1024',
    'daemonize no',
  ];
  fs.rmSync(conf, { force: true });
  fs.writeFileSync(conf, `${lines.join('\n')}\n`, { mode: 0o600 });
  return conf;
}

async function untilReady(port: number, password: string, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await answersPing(port, password)) return true;
    await sleep(15);
  }
  return false;
}

/** A server that still loads its data answers `-LOADING`, and somebody else's server refuses our password. */
function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(2000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.includes('+PONG')) settle(true);
      else if (answer.includes('-')) settle(false);
    });
  });
}
