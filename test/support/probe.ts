import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { eventually } from './eventually.js';

export interface Strain {
  /** Longest time for which the main event loop could do nothing else. */
  readonly heldUpMs: number;
  /** Most memory the process ever used. */
  readonly peakMb: number;
}

/** Looks into child processes: start them with `env`, ask by process id. */
export class Probe {
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'probe-'));
  readonly env = {
    NODE_OPTIONS: `--import ${pathToFileURL(path.join(__dirname, 'process-probe.mjs')).href}`,
    PROBE_DIR: this.dir,
  };

  /** Forgets what was: start-up is allowed to take its time. */
  async reset(pid: number): Promise<void> {
    const { since } = this.read(pid);
    process.kill(pid, 'SIGUSR2');
    await eventually('the reset', async () => this.read(pid).since > since);
  }

  strain(pid: number): Strain {
    return this.read(pid);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private read(pid: number): Strain & { readonly since: number } {
    return JSON.parse(readFileSync(path.join(this.dir, `${pid}.json`), 'utf8')) as Strain & { since: number };
  }
}
