import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Bull from 'bull';
import type { Redis } from 'ioredis';

import { Logger } from '#libs/common/logger.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { type JobName, type JobPayload, jobs, parsePayload, Queue, type QueueName } from './jobs.js';

/** Keys of Bull in Redis: `{postrider}:mail-sync:…`. */
export const QUEUE_PREFIX = '{postrider}';

/** How long a job is safe from being given to another worker. Those of sessions are renewed by the LockKeeper. */
export const LOCK_MS = 30_000;
const RENEW_MS = 20_000;
/** The longest time of a timer. */
const NEVER_MS = 2 ** 31 - 1;

/** A caller waits at most this long for Redis: what the job would have started is in the database, and swept. */
const PATIENCE_MS = 2000;

// A dedupe id only works when finished jobs are removed: Bull ignores an add whose id is still known.
const options: Bull.JobOptions = { removeOnComplete: true, removeOnFail: true };

/** Puts jobs into queues. PostgreSQL holds what has to be done; a job only wakes somebody up to do it. */
@Injectable()
export class JobQueue implements OnApplicationShutdown {
  private readonly queues = new Map<QueueName, Bull.Queue>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /**
   * Wakes the worker for this work. Harmless to repeat: an equal job that waits or runs absorbs it. Never fails: a job
   * that Redis does not take is added by the sweeper within a minute.
   */
  async add<N extends JobName>(name: N, payload: JobPayload<N>): Promise<void> {
    const jobId = [name, ...Object.values(parsePayload(name, payload))].join(':');
    await this.put(name, payload, { ...options, jobId });
  }

  /** Continues work from inside its own job, whose id is still taken and would absorb a plain add(). */
  async continue<N extends JobName>(name: N, payload: JobPayload<N>, delayMs = 0): Promise<void> {
    await this.put(name, parsePayload(name, payload), { ...options, delay: delayMs });
  }

  /** Wakes the worker for this work at a time, to the second. Once for each second, however often it is asked for. */
  async addAt<N extends JobName>(name: N, payload: JobPayload<N>, at: Date): Promise<void> {
    const second = Math.ceil(at.getTime() / 1000);
    const jobId = [name, ...Object.values(parsePayload(name, payload)), second].join(':');
    await this.put(name, payload, { ...options, jobId, delay: Math.max(0, second * 1000 - Date.now()) });
  }

  queue(name: QueueName): Bull.Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new Bull(name, this.config.REDIS_URL, {
        prefix: QUEUE_PREFIX,
        // A job whose worker died goes to another within 35 s, however often that happens. Redis may give it to one that
        // hangs, again and again: MailSyncProcessor.adopt knows.
        settings: {
          lockDuration: LOCK_MS,
          lockRenewTime: name === Queue.mailSync ? NEVER_MS : RENEW_MS,
          stalledInterval: 5_000,
          maxStalledCount: 1_000_000,
        },
      });
      queue.on('error', (error) => this.logger.warn({ err: error, queue: name }, 'queue trouble'));
      this.queues.set(name, queue);
    }
    return queue;
  }

  /** Resolves when all connections of a queue are open: for commands, for waiting, for events. */
  async connected(name: QueueName): Promise<void> {
    const { client, bclient, eclient } = this.queue(name) as Bull.Queue & Record<'bclient' | 'eclient', Redis>;
    await Promise.all([client, bclient, eclient].map(untilReady));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close(true)));
  }

  private async put<N extends JobName>(name: N, payload: JobPayload<N>, how: Bull.JobOptions): Promise<void> {
    const added = this.queue(jobs[name].queue)
      .add(name, payload, how)
      .then(
        () => undefined,
        (error: unknown) => this.logger.warn({ err: error, job: name }, 'job not added; the sweeper will'),
      );
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([added, late]);
    clearTimeout(patience);
  }
}

function untilReady(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready') resolve();
    else redis.once('ready', () => resolve());
  });
}
