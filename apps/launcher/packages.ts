import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { isAlive } from './processes.js';

const run = promisify(execFile);

export interface UnpackedPackages {
  /** Folder that stands for `/`: programs are in `usr/bin` and `usr/sbin` below it. */
  readonly root: string;
  /** Value for LD_LIBRARY_PATH. */
  readonly libraryPath: string;
}

/** The packages cannot be had here: no Debian or Ubuntu, no network, or a name this release does not know. */
export class PackagesUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'PackagesUnavailable';
  }
}

/**
 * Fetches Debian or Ubuntu packages and unpacks them into `~/.cache/postrider/<name>`, once. Needs no root, installs
 * nothing, runs no package script, and leaves the system's package state alone: a mail server fetched this way cannot
 * push another one off the machine. Exactly the named packages are fetched, no dependencies. Processes that ask at the
 * same time wait for the first. `say` gets a line when something has to be fetched.
 *
 * @throws PackagesUnavailable with one sentence for people
 */
export async function unpackPackages(
  name: string,
  packages: readonly string[],
  say: (line: string) => void = () => undefined,
): Promise<UnpackedPackages> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'postrider');
  const home = join(cache, name);
  if (!(await isComplete(home, packages))) {
    say(`Fetching ${name} from the system's packages into ${home} …`);
    await mkdir(cache, { recursive: true }).catch(refuse);
    const release = await lock(`${home}.lock`, () => isComplete(home, packages));
    try {
      if (!(await isComplete(home, packages))) await fill(home, packages);
    } finally {
      await release();
    }
  }
  return { root: join(home, 'root'), libraryPath: await libraryPath(join(home, 'root')) };
}

async function isComplete(home: string, packages: readonly string[]): Promise<boolean> {
  // Without a marker, or with one that cannot be read, it is unpacked anew.
  const marker = await readFile(join(home, 'packages.txt'), 'utf8').catch(() => null);
  return marker === packages.join('\n');
}

/** Works in a folder of its own and moves it into place at the end, so that a half-filled cache is never seen. */
async function fill(home: string, packages: readonly string[]): Promise<void> {
  const work = `${home}.${process.pid}`;
  const debs = join(work, 'debs');
  const apt = aptOptions(work);
  try {
    for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs', 'root']) {
      await mkdir(join(work, folder), { recursive: true });
    }
    await run('apt-get', [...apt, '-qq', 'update'], { timeout: 180_000 });
    await run('apt-get', [...apt, '-qq', 'download', ...packages], { cwd: debs, timeout: 300_000 });
    for (const deb of await readdir(debs)) await run('dpkg', ['-x', join(debs, deb), join(work, 'root')]);
    for (const folder of ['state', 'cache', 'debs']) await rm(join(work, folder), { recursive: true });
    await writeFile(join(work, 'packages.txt'), packages.join('\n'));
    await rm(home, { recursive: true, force: true });
    await rename(work, home);
  } catch (error) {
    if (await isComplete(home, packages)) return;
    throw unavailable(packages, error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A private package state: the system's lists, caches and locks stay untouched; signatures are still verified. */
function aptOptions(work: string): string[] {
  const settings = [
    `Dir::State=${join(work, 'state')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${join(work, 'cache')}`,
    'Debug::NoLocking=1',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'APT::Sandbox::User=',
    'APT::Update::Error-Mode=any',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

function unavailable(packages: readonly string[], error: unknown): PackagesUnavailable {
  const names = packages.join(' ');
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new PackagesUnavailable(`This system has no apt-get and dpkg, so ${names} cannot be fetched.`, error);
  }
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const reason = output.split('\n').find((line) => line.startsWith('E:')) ?? String(error);
  return new PackagesUnavailable(`apt-get could not fetch ${names}: ${reason}`, error);
}

/** Spares the others double work; correctness rests on the rename in `fill`, not on this file. */
async function lock(path: string, done: () => Promise<boolean>): Promise<() => Promise<void>> {
  const release = () => rm(path, { force: true });
  for (;;) {
    const file = await open(path, 'wx').catch((error: unknown) => (isThere(error) ? null : refuse(error)));
    if (file) {
      await file.writeFile(String(process.pid));
      await file.close();
      return release;
    }
    if (await done()) return async () => {};
    if (await isAbandoned(path)) await release();
    else await delay(100);
  }
}

const isThere = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EEXIST';

function refuse(error: unknown): never {
  throw new PackagesUnavailable(`The cache folder cannot be written: ${String(error)}`, error);
}

async function isAbandoned(path: string): Promise<boolean> {
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  if (holder > 0) return !isAlive(holder);
  const age = await stat(path).then(
    (file) => Date.now() - file.mtimeMs,
    () => 0,
  );
  return age > 10_000;
}

async function libraryPath(root: string): Promise<string> {
  const folders: string[] = [];
  for (const lib of [join(root, 'usr/lib'), join(root, 'lib')]) {
    if (!existsSync(lib)) continue;
    const names = await readdir(lib);
    folders.push(...names.filter((name) => name.includes('-linux-gnu')).map((name) => join(lib, name)));
  }
  return folders.join(':');
}
