import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { type PostgresBinaries, program } from './postgres-binaries.js';
import { canReach, type SystemUser } from './unprivileged.js';

type Log = (line: string) => void;

/** A data folder ready to be started by `postgres -D`. */
export interface Cluster {
  readonly folder: string;
  readonly password: string;
  readonly major: number;
}

export const SUPERUSER = 'postrider';
const OLDEST_MAJOR = 14;

/**
 * Where the data lives: the folder asked for, unless the user PostgreSQL must run as cannot enter it; then a folder of
 * the same name below /var/lib/postrider.
 */
export function clusterHome(dataDir: string, user: SystemUser | null, log: Log): string {
  let home = path.resolve(dataDir);
  if (!canReach(home, user)) {
    home = path.join('/var/lib/postrider', home.slice(1).replaceAll('/', '-'));
    log(`PostgreSQL (user ${user?.name}) cannot enter ${dataDir}: its data is in ${home}`);
  }
  fs.mkdirSync(home, { recursive: true });
  return home;
}

/** Copies the binaries once to where that user can run them, when the place they are in is closed to it. */
export function reachableBinaries(binaries: PostgresBinaries, user: SystemUser | null, log: Log): PostgresBinaries {
  if (canReach(program(binaries, 'postgres'), user)) return binaries;
  const { size, mtimeMs } = fs.statSync(program(binaries, 'postgres'));
  const copy = path.join('/var/cache/postrider', `postgres-${size}-${Math.trunc(mtimeMs)}`);
  if (!fs.existsSync(copy)) {
    log(`PostgreSQL (user ${user?.name}) cannot enter ${binaries.root}: copied it to ${copy}`);
    const draft = `${copy}.${randomBytes(4).toString('hex')}`;
    fs.cpSync(binaries.root, draft, { recursive: true, verbatimSymlinks: true });
    if (fs.existsSync(copy)) fs.rmSync(draft, { recursive: true });
    else fs.renameSync(draft, copy);
  }
  return { origin: binaries.origin, root: copy, bin: path.join(copy, 'bin') };
}

/** Opens the cluster in `home`, making it when this is the first start. One folder per major version. */
export async function openCluster(
  home: string,
  binaries: PostgresBinaries,
  user: SystemUser | null,
  log: Log,
): Promise<Cluster> {
  const major = await majorVersion(binaries, user);
  const folder = path.join(home, `pg${major}`);
  const password = ownPassword(path.join(home, 'password'));
  if (!fs.existsSync(path.join(folder, 'PG_VERSION'))) {
    const others = fs.readdirSync(home).filter((name) => /^pg\d+$/.test(name));
    if (others.length)
      log(`${home} holds ${others.join(', ')}, but this PostgreSQL is ${major}: starting an empty database`);
    await create(home, folder, { binaries, user, password, major });
  }
  return { folder, password, major };
}

async function majorVersion(binaries: PostgresBinaries, user: SystemUser | null): Promise<number> {
  const answer = await run(program(binaries, 'postgres'), ['--version'], user);
  const major = Number(/(\d+)(\.|devel|beta|rc)/.exec(answer)?.[1] ?? 0);
  if (major < OLDEST_MAJOR) {
    throw new Error(`PostgreSQL ${OLDEST_MAJOR} or newer is needed; ${binaries.bin} has "${answer.trim()}"`);
  }
  return major;
}

function ownPassword(file: string): string {
  if (!fs.existsSync(file)) fs.writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  return fs.readFileSync(file, 'utf8').trim();
}

interface Creation {
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | null;
  readonly password: string;
  readonly major: number;
}

/** Made aside and moved into place when complete, so a crash half-way leaves nothing that looks like a cluster. */
async function create(home: string, folder: string, { binaries, user, password, major }: Creation): Promise<void> {
  for (const name of fs.readdirSync(home)) {
    if (name.startsWith('.making-')) fs.rmSync(path.join(home, name), { recursive: true, force: true });
  }
  const aside = path.join(home, `.making-${randomBytes(4).toString('hex')}`);
  const passwordFile = path.join(aside, 'pw');
  const data = path.join(aside, 'data');
  for (const each of [aside, data]) ownedFolder(each, user);
  fs.writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) fs.chownSync(passwordFile, user.uid, user.gid);
  // The built-in provider sorts alike on every system. Unsynced for speed: a power cut in this second costs nothing yet.
  const locale = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  const options = ['-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C'];
  await run(program(binaries, 'initdb'), ['-D', data, ...options, ...locale, '--no-sync'], user);
  fs.renameSync(data, folder);
  fs.rmSync(aside, { recursive: true, force: true });
}

function ownedFolder(folder: string, user: SystemUser | null): void {
  fs.mkdirSync(folder, { mode: 0o700 });
  if (user) fs.chownSync(folder, user.uid, user.gid);
}

function run(file: string, args: readonly string[], user: SystemUser | null): Promise<string> {
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  const options = { ...identity, cwd: '/', env: { ...process.env, LC_ALL: 'C' } };
  return new Promise((resolve, reject) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${file} failed${user ? ` as ${user.name}` : ''}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
