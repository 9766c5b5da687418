import fs from 'node:fs';
import path from 'node:path';

import { processIdentity } from './processes.js';

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

/** What the last start wrote, whether it still runs or not. Null when it ended properly. */
export function readRuntime(dataDir: string): Runtime | null {
  try {
    return JSON.parse(fs.readFileSync(fileOf(dataDir), 'utf8')) as Runtime;
  } catch {
    return null;
  }
}

/**
 * The settings a command needs to work on the installation in `dataDir`; those already given in `env` win. Null when
 * nothing runs there and `env` does not name the servers itself.
 */
export function runtimeEnvironment(dataDir: string, env: NodeJS.ProcessEnv): Record<string, string> | null {
  const runtime = readRuntime(dataDir);
  if (runtime && isRunning(runtime.launcher)) {
    const found = Object.entries(runtime.environment).filter(([name]) => !env[name]);
    return { ...Object.fromEntries(found), DATA_DIR: dataDir };
  }
  return env.DATABASE_URL && env.REDIS_URL && env.SECRET_KEYS ? { DATA_DIR: dataDir } : null;
}

/** Writes a file only its owner can read, whole or not at all. */
export function writePrivate(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, content, { mode: 0o600 });
  fs.renameSync(draft, file);
}
