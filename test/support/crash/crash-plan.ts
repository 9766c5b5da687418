import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where a worker is to die: while it does something for this account, at the n-th passage of a point. */
export interface CrashPoint {
  /** Kind of action, point and passage, e.g. `draft.save after APPEND 1`. Null to count passages only. */
  readonly point: string | null;
  readonly accountId: string;
}

/** What points.mjs, in the worker, is told and tells. */
export class CrashPlan {
  private readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pr-'));
  private read = 0;

  constructor() {
    fs.mkdirSync(path.join(this.dir, 'held'));
    fs.writeFileSync(path.join(this.dir, 'passed.log'), '');
    this.clear();
  }

  /** Settings with which a worker knows of the plan. */
  get env(): Record<string, string> {
    const loader = pathToFileURL(path.join(__dirname, 'points.mjs')).href;
    return { NODE_OPTIONS: `--import=${loader}`, CRASH_DIR: this.dir };
  }

  arm(points: readonly CrashPoint[]): void {
    for (const name of fs.readdirSync(this.heldDir)) fs.rmSync(path.join(this.heldDir, name));
    const run = randomUUID();
    this.write(Object.fromEntries(points.map(({ accountId, point }) => [accountId, { run, point }])));
  }

  clear(): void {
    this.write({});
  }

  /** Accounts whose worker stands still. */
  held(): ReadonlySet<string> {
    return new Set(fs.readdirSync(this.heldDir));
  }

  /** Points that were passed since this was asked last, by account, in their order. */
  passed(): Map<string, string[]> {
    const bytes = fs.readFileSync(path.join(this.dir, 'passed.log'));
    const lines = bytes.subarray(this.read).toString().split('\n').filter(Boolean);
    this.read = bytes.length;
    const found = new Map<string, string[]>();
    for (const line of lines) {
      const [accountId = '', , point = ''] = line.split('\t');
      found.set(accountId, [...(found.get(accountId) ?? []), point]);
    }
    return found;
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  private get heldDir(): string {
    return path.join(this.dir, 'held');
  }

  /** Never seen half written. */
  private write(plan: object): void {
    const file = path.join(this.dir, 'plan.json');
    fs.writeFileSync(`${file}.new`, JSON.stringify(plan));
    fs.renameSync(`${file}.new`, file);
  }
}
