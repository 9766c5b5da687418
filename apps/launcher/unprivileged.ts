import fs from 'node:fs';
import path from 'node:path';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user PostgreSQL runs as when we are root, which it refuses: `PG_RUN_AS`, else postgres, else nobody. No user is
 * ever created. Null when we are an ordinary user and need no switch.
 */
export function userForPostgres(env: NodeJS.ProcessEnv = process.env): SystemUser | null {
  if (process.platform === 'win32' || process.getuid?.() !== 0) return null;
  const wanted = [env.PG_RUN_AS, 'postgres', 'nobody'].filter((name) => name !== undefined && name !== '');
  const rows = passwordFile();
  for (const name of wanted) {
    const row = rows.find((fields) => fields[0] === name);
    if (name && row) return { name, uid: Number(row[2]), gid: Number(row[3]) };
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and neither a "postgres" nor a "nobody" user exists: set PG_RUN_AS',
  );
}

/** Null for one that the system's own list does not have. */
export function userName(uid: number): string | null {
  if (!fs.existsSync('/etc/passwd')) return null;
  return passwordFile().find((fields) => fields[2] === String(uid))?.[0] ?? null;
}

function passwordFile(): string[][] {
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => line.split(':'));
}

/** Whether that user can enter every folder on the way to `target`. A checkout below /root (mode 0700) cannot be entered. */
export function canReach(target: string, user: SystemUser | null): boolean {
  if (!user) return true;
  for (let folder = path.resolve(target); ; folder = path.dirname(folder)) {
    const stat = fs.statSync(folder, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      const bit = stat.uid === user.uid ? 0o100 : stat.gid === user.gid ? 0o010 : 0o001;
      if (!(stat.mode & bit)) return false;
    }
    if (folder === path.dirname(folder)) return true;
  }
}
