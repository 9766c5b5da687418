import { createLogger } from '#libs/common/logger.js';
import type { JobQueue } from '#libs/queues/job-queue.js';
import { jobs } from '#libs/queues/jobs.js';

import type { LockKeeper } from '#libs/queues/lock-keeper.js';

import { type JobHandlers, JobRunner } from './job-runner.js';

/** A runner on queues that fetch until `refuse` breaks their connection. */
async function runner() {
  const broken: ((error: Error) => void)[] = [];
  const queue = {
    process: () => ({ catch: (handle: (error: Error) => void) => broken.push(handle) }),
    pause: () => Promise.resolve(),
  };
  const handlers = Object.fromEntries(Object.keys(jobs).map((name) => [name, { concurrency: 1, run: () => {} }]));
  const made = new JobRunner(
    handlers as unknown as JobHandlers,
    { queue: () => queue, connected: () => Promise.resolve() } as unknown as JobQueue,
    {} as unknown as LockKeeper,
    createLogger('test', 'silent'),
  );
  await made.onApplicationBootstrap();
  return { made, refuse: () => broken.forEach((handle) => handle(new Error('Connection is closed.'))) };
}

describe('a worker whose queues break', () => {
  it('ends when it should go on', async () => {
    const { refuse } = await runner();
    expect(refuse).toThrow('Connection is closed.');
  });

  it('stops in peace when it was told to', async () => {
    const { made, refuse } = await runner();
    made.beforeApplicationShutdown();
    expect(refuse).not.toThrow();
  });
});
