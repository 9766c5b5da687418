import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Bull from 'bull';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { type JobName, type JobPayload, jobs, parsePayload, type QueueName } from './jobs.js';

/** Keys of Bull in Redis: `{postrider}:mail-sync:…`. */
export const QUEUE_PREFIX = '{postrider}';

/** Puts jobs into queues. PostgreSQL holds what has to be done; a job only wakes somebody up to do it. */
@Injectable()
export class JobQueue implements OnApplicationShutdown {
  private readonly queues = new Map<QueueName, Bull.Queue>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Wakes the worker for this work. Harmless to repeat: an equal job that waits or runs absorbs it. */
  async add<N extends JobName>(name: N, payload: JobPayload<N>): Promise<void> {
    const jobId = [name, ...Object.values(parsePayload(name, payload))].join(':');
    await this.queue(jobs[name].queue).add(name, payload, { ...options, jobId });
  }

  /** Continues work from inside its own job, whose id is still taken and would absorb a plain add(). */
  async continue<N extends JobName>(name: N, payload: JobPayload<N>, delayMs = 0): Promise<void> {
    await this.queue(jobs[name].queue).add(name, parsePayload(name, payload), { ...options, delay: delayMs });
  }

  queue(name: QueueName): Bull.Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = new Bull(name, this.config.REDIS_URL, { prefix: QUEUE_PREFIX });
      this.queues.set(name, queue);
    }
    return queue;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }
}

// A dedupe id only works when finished jobs are removed: Bull ignores an add whose id is still known.
const options: Bull.JobOptions = { removeOnComplete: true, removeOnFail: true };
