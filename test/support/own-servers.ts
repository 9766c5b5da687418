import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from 'pg';

import { type RunningPostgres, startPostgres } from '../../apps/launcher/postgres.js';
import { signal } from '../../apps/launcher/processes.js';
import { type RunningRedis, startRedis } from '../../apps/launcher/redis.js';

/** A PostgreSQL that may be restarted: the run's own serves other tests too. */
export class OwnPostgres {
  private readonly dataDir = mkdtempSync(path.join(tmpdir(), 'pr-'));
  private running: RunningPostgres | null = null;
  private frozen: readonly number[] = [];

  /** Starts it, or starts it again where it was. @returns its address */
  async start(): Promise<string> {
    const port = this.running ? Number(new URL(this.running.url).port) : undefined;
    const settings = ['fsync=off', 'max_connections=300'];
    chmodSync(this.dataDir, 0o755);
    this.running = await startPostgres({ dataDir: this.dataDir, database: 'postrider', port, settings });
    return this.running.url;
  }

  /** Stops all its processes where they are: connections stay open, and nothing answers. */
  async freeze(): Promise<void> {
    if (!this.running) throw new Error('not started');
    const client = new Client({ connectionString: this.running.url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
    await client.end();
    this.frozen = [this.running.pid, ...rows.map(({ pid }) => pid)];
    for (const pid of this.frozen) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.frozen) signal(pid, 'SIGCONT');
    this.frozen = [];
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.running?.stop();
  }

  remove(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** A Redis that may be restarted, and then has forgotten everything. */
export class OwnRedis {
  private readonly dir = mkdtempSync(path.join(tmpdir(), 'pr-'));
  private running: RunningRedis | null = null;

  async start(): Promise<string> {
    this.running = await startRedis({ dir: this.dir, persist: false, url: this.running?.url });
    return this.running.url;
  }

  async stop(): Promise<void> {
    await this.running?.stop();
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
