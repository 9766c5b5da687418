import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process with this id exists, ours or somebody else's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process, or '' when there is none or the system will not tell. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/**
 * Tells a process from a later one that got the same id: ids are used again, after a reboot and above all in
 * containers, where the first process is always number 1. Null when no such process runs.
 */
export function processIdentity(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The command name, in parentheses, may hold spaces; the fields after it are counted from there (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? null : `${boot}:${fields[19]}`;
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** Waits until the process is gone. @returns false when it is still there after `timeoutMs`. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (processIdentity(pid) !== null) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ties a server to our life. A little shell holds the other end of a pipe from us; when we die, even by `kill -9`, it
 * reads end-of-file and sends the server the signal for a clean stop. Start it straight after the server.
 */
export function leash(pid: number, signalName: 'INT' | 'TERM'): { release(): void } {
  if (process.platform === 'win32') return { release: () => undefined };
  const script = 'trap "" INT TERM HUP; cat >/dev/null; kill -"$1" "$0" 2>/dev/null';
  const shell = spawn('/bin/sh', ['-c', script, String(pid), signalName], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  shell.on('error', () => undefined);
  shell.unref();
  (shell.stdin as { unref?: () => void } | null)?.unref?.();
  return { release: () => void shell.kill('SIGKILL') };
}

/** Resolves with the exit code, or with the signal's name, once the child has ended. */
export function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  if (child.signalCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => {
    child.once('exit', (code, name) => resolve(code ?? name ?? -1));
    child.once('error', () => resolve(-1));
  });
}

/** The end of a log file, for an error message. */
export function tailOf(file: string, characters = 2000): string {
  try {
    return fs.readFileSync(file, 'utf8').slice(-characters).trim();
  } catch {
    return '';
  }
}
