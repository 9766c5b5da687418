import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type Bull from 'bull';

import { Logger } from '#libs/common/logger.js';

import { JobQueue, LOCK_MS } from './job-queue.js';
import { Queue } from './jobs.js';

const RENEW_MS = 10_000;
/** Redis does nothing else meanwhile. */
const AT_ONCE = 500;

/** What Bull's `extendLock` does for one job. KEYS: the set of stalled jobs, locks; ARGV: token, milliseconds, job ids. */
const RENEW = `
for n = 2, #KEYS do
  if redis.call('GET', KEYS[n]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[n], ARGV[2])
    redis.call('SREM', KEYS[1], ARGV[n + 1])
  end
end`;

/**
 * Renews the locks of all sessions' jobs together. Bull has a timer and a script for each: with 2,000 sessions they
 * were a quarter of what an idle worker did.
 */
@Injectable()
export class LockKeeper implements OnApplicationShutdown {
  private readonly kept = new Set<Bull.Job>();
  private timer: NodeJS.Timeout | null = null;
  private renewing = false;

  constructor(
    private readonly queues: JobQueue,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** Keeps the job, of the queue of sessions, from being given to others until `work` is done. */
  async during<T>(job: Bull.Job, work: () => Promise<T>): Promise<T> {
    this.timer ??= setInterval(() => void this.renew(), RENEW_MS);
    this.kept.add(job);
    try {
      return await work();
    } finally {
      this.kept.delete(job);
    }
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  private async renew(): Promise<void> {
    if (this.renewing) return;
    this.renewing = true;
    const queue = this.queues.queue(Queue.mailSync) as Bull.Queue & { readonly token: string };
    const jobs = [...this.kept];
    try {
      for (let at = 0; at < jobs.length; at += AT_ONCE) {
        const some = jobs.slice(at, at + AT_ONCE);
        const keys = [queue.toKey('stalled'), ...some.map((job) => job.lockKey())];
        const ids = some.map((job) => String(job.id));
        await queue.client.eval(RENEW, keys.length, ...keys, queue.token, LOCK_MS, ...ids);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'jobs could not be locked any longer');
    } finally {
      this.renewing = false;
    }
  }
}
