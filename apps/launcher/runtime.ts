import fs from 'node:fs';
import path from 'node:path';

import { StartFault } from '#libs/config/run-process.js';

import { processIdentity } from './processes.js';
import { userName } from './unprivileged.js';

/** A process of the running installation, told apart from a later one with the same number. */
export interface RuntimeProcess {
  readonly name: string;
  readonly pid: number;
  readonly identity: string | null;
}

/** What DATA_DIR/runtime.json says while an installation runs. */
export interface Runtime {
  readonly launcher: RuntimeProcess;
  readonly children: readonly RuntimeProcess[];
  readonly environment: Readonly<Record<string, string>>;
}

export function describeProcess(name: string, pid: number): RuntimeProcess {
  return { name, pid, identity: processIdentity(pid) };
}

export function isRunning({ pid, identity }: RuntimeProcess): boolean {
  return identity !== null && processIdentity(pid) === identity;
}

const fileOf = (dataDir: string) => path.join(dataDir, 'runtime.json');

/** Secrets in it: readable by its owner only. Replaced as a whole, so readers never see half a file. */
export function writeRuntime(dataDir: string, runtime: Runtime): void {
  writePrivate(fileOf(dataDir), `${JSON.stringify(runtime, null, 2)}\n`);
}

export function removeRuntime(dataDir: string): void {
  fs.rmSync(fileOf(dataDir), { force: true });
}

/**
 * What the last start wrote, whether it still runs or not. Null when it ended properly.
 * @throws StartFault when only somebody else may read it
 */
export function readRuntime(dataDir: string): Runtime | null {
  if (!isReadable(dataDir)) {
    const owner = ownerOf(fileOf(dataDir)) ?? 'the user who started Postrider';
    throw new StartFault(`${fileOf(dataDir)} cannot be read by this user. Run the command as ${owner}.`);
  }
  try {
    return JSON.parse(fs.readFileSync(fileOf(dataDir), 'utf8')) as Runtime;
  } catch {
    return null;
  }
}

/** Whether nobody keeps us from it; it need not be there. */
function isReadable(dataDir: string): boolean {
  try {
    fs.closeSync(fs.openSync(fileOf(dataDir), 'r'));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES';
  }
}

/** Name or number of the user a file belongs to; of the folder it is in, when that may not be entered. Null if unknown. */
function ownerOf(file: string): string | null {
  for (const place of [file, path.dirname(file)]) {
    try {
      const { uid } = fs.statSync(place);
      return userName(uid) ?? `the user with number ${uid}`;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * The settings a command needs to work on the installation in `dataDir`; those already given in `env` win. Null when
 * nothing runs there and `env` does not name the servers itself.
 * @throws StartFault when only somebody else may know
 */
export function runtimeEnvironment(dataDir: string, env: NodeJS.ProcessEnv): Record<string, string> | null {
  const given = env.DATABASE_URL && env.REDIS_URL && env.SECRET_KEYS ? { DATA_DIR: dataDir } : null;
  const runtime = given && !isReadable(dataDir) ? null : readRuntime(dataDir);
  if (!runtime || !isRunning(runtime.launcher)) return given;
  const found = Object.entries(runtime.environment).filter(([name]) => !env[name]);
  return { ...Object.fromEntries(found), DATA_DIR: dataDir };
}

/** Writes a file only its owner can read, whole or not at all. */
export function writePrivate(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, content, { mode: 0o600 });
  fs.renameSync(draft, file);
}
