import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { processIdentity } from './processes.js';

/** Somebody else works in this folder; `pid` says who. */
export class FolderInUse extends Error {
  constructor(
    readonly folder: string,
    readonly pid: number,
  ) {
    super(`${folder} is in use: already running, pid ${pid}`);
  }
}

export interface FolderLock {
  readonly file: string;
  /** The holder before us died without letting go: what it started may still be running. */
  readonly inherited: boolean;
  release(): void;
}

/**
 * Takes the folder for the rest of this process's life. A lock whose holder is dead is taken over, so nothing has to
 * be cleaned up after a crash. @throws FolderInUse
 */
export function lockFolder(folder: string, name = '.lock'): FolderLock {
  const file = path.join(folder, name);
  const mine = `${process.pid} ${processIdentity(process.pid) ?? ''}`;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  fs.writeFileSync(draft, mine, { mode: 0o644 });
  let inherited = false;
  try {
    // A link appears with its content, so nobody ever reads a half-written lock.
    while (!tryLink(draft, file)) {
      const held = readText(file);
      if (held === null) continue;
      const pid = Number(held.split(' ', 1)[0]);
      const identity = held.slice(held.indexOf(' ') + 1);
      if (pid > 0 && processIdentity(pid) === identity) throw new FolderInUse(folder, pid);
      removeIfStill(file, held);
      inherited = true;
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return { file, inherited, release: () => removeIfStill(file, mine) };
}

/** Takes the file away only if it holds `content`: by the time we act another process may have taken the lock. */
function removeIfStill(file: string, content: string): void {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== content) tryLink(aside, file);
  fs.rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readText(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
