import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import { type JobName, type JobPayload, jobs, parsePayload, Queue, type QueueName } from '#libs/queues/jobs.js';
import { LockKeeper } from '#libs/queues/lock-keeper.js';

export interface JobHandler<N extends JobName> {
  /** How many such jobs this process runs at once. Named handlers of one queue would add up, so each queue has one. */
  readonly concurrency: number;
  readonly run: (payload: JobPayload<N>) => Promise<void>;
}

export type JobHandlers = { readonly [N in JobName]: JobHandler<N> };

/** Injection token of the worker's table of handlers; its type makes a job without handler a compile error. */
export const JOB_HANDLERS = Symbol('JOB_HANDLERS');

/** Takes jobs out of every queue and gives them to their handlers. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private stopping = false;

  constructor(
    @Inject(JOB_HANDLERS) private readonly handlers: JobHandlers,
    private readonly queue: JobQueue,
    private readonly locks: LockKeeper,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** Done when every queue is connected: before that the worker is not ready, and cannot be stopped in order. */
  async onApplicationBootstrap(): Promise<void> {
    const taken = new Set<QueueName>();
    for (const name of Object.keys(jobs) as JobName[]) {
      const queue = jobs[name].queue;
      // Concurrency of named processors on one queue adds up: only the first brings its own.
      this.attach(name, taken.has(queue) ? 0 : this.handlers[name].concurrency);
      taken.add(queue);
    }
    await Promise.all([...taken].map((queue) => this.queue.connected(queue)));
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** No new jobs; those that run are ended by their own handlers' shutdown. */
  async onApplicationShutdown(): Promise<void> {
    const queues = new Set(Object.values(jobs).map((job) => job.queue));
    await Promise.all([...queues].map((name) => this.queue.queue(name).pause(true, true)));
  }

  private attach<N extends JobName>(name: N, concurrency: number): void {
    const handler: JobHandler<N> = this.handlers[name];
    const { queue } = jobs[name];
    const fetching = this.queue.queue(queue).process(name, concurrency, async (job) => {
      const run = () => handler.run(parsePayload(name, job.data));
      try {
        await (queue === Queue.mailSync ? this.locks.during(job, run) : run());
      } catch (error) {
        this.logger.error({ err: error, job: name, jobId: job.id }, 'job failed');
        throw error;
      }
    });
    // A worker that fetches no jobs is of no use: it ends, and is started again. One that is told to stop while Bull
    // still prepares to fetch is refused by the connection it closes itself.
    void fetching.catch((error: unknown) => {
      if (!this.stopping) throw error;
    });
  }
}
