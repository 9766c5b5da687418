import type Bull from 'bull';

import { createLogger } from '#libs/common/logger.js';
import { newId } from '#libs/common/ids.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import { Queue } from '#libs/queues/jobs.js';
import { LockKeeper } from '#libs/queues/lock-keeper.js';

import { apiConfig } from '../support/api-env.js';
import { eventually } from '../support/eventually.js';
import { createRedis, type TestRedis } from '../support/servers.js';

describe('locks of session jobs', () => {
  let redis: TestRedis;
  let queues: JobQueue;
  let keeper: LockKeeper;
  let queue: Bull.Queue;
  beforeAll(async () => {
    redis = await createRedis();
    const logger = createLogger('test', 'silent');
    queues = new JobQueue(
      apiConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REDIS_URL: redis.url }),
      logger,
    );
    keeper = new LockKeeper(queues, logger);
    queue = queues.queue(Queue.mailSync);
  });
  afterAll(async () => {
    jest.useRealTimers();
    keeper?.onApplicationShutdown();
    await queues?.onApplicationShutdown();
    await redis?.drop();
  });

  const left = (job: Bull.Job) => queue.client.pttl(job.lockKey());
  /** A session's job whose lock is about to end. */
  async function taken(): Promise<Bull.Job> {
    await queues.add('account.watch', { accountId: newId() });
    const job = (await queue.getNextJob())!;
    await queue.client.pexpire(job.lockKey(), 9000);
    return job;
  }

  it('are renewed together while the sessions last, as long as they are ours', async () => {
    jest.useFakeTimers({
      doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'Date', 'performance', 'queueMicrotask'],
    });
    const [first, second, robbed, over] = [await taken(), await taken(), await taken(), await taken()];
    await queue.client.set(robbed.lockKey(), 'somebody else', 'PX', 9000);
    let end = () => {};
    const lasting = new Promise<void>((resolve) => {
      end = resolve;
    });
    const sessions = [first, second, robbed].map((job) => keeper.during(job, () => lasting));
    expect(await keeper.during(over, async () => 7)).toBe(7);
    await queue.client.sadd(queue.toKey('stalled'), String(first.id));
    jest.advanceTimersByTime(10_000);
    await eventually('more time', async () => (await left(second)) > 20_000);
    expect(await left(first)).toBeGreaterThan(20_000);
    expect(await queue.client.smembers(queue.toKey('stalled'))).toEqual([]);
    expect(await left(robbed)).toBeLessThanOrEqual(9000);
    expect(await left(over)).toBeLessThanOrEqual(9000);
    end();
    await Promise.all(sessions);
  });
});
