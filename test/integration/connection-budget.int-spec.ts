import { Redis } from 'ioredis';

import { createLogger } from '#libs/common/logger.js';
import type { Config } from '../../libs/config/config.js';
import { ConnectionBudget } from '../../libs/sync/connection-budget.js';
import { createRedis, type TestRedis } from '../support/servers.js';

describe('ConnectionBudget', () => {
  let server: TestRedis;
  const budgets: ConnectionBudget[] = [];
  const budget = (url = server.url) => {
    const made = new ConnectionBudget(
      { REDIS_URL: url, SYNC_IMAP_MAX_CONNECTIONS: 4 } as Config,
      createLogger('test', 'silent'),
    );
    budgets.push(made);
    return made;
  };

  beforeAll(async () => {
    server = await createRedis();
  });
  afterAll(async () => {
    for (const each of budgets) each.onApplicationShutdown();
    await server.drop();
  });

  it('counts over all processes, keeps one place for calls and one for the session', async () => {
    const [one, other] = [budget(), budget()];
    const taken = await Promise.all([one, other, one, other].map((each) => each.take('ada', 'backfill')));
    expect(taken.filter(Boolean)).toHaveLength(2);
    expect(await other.take('ada', 'call')).not.toBeNull();
    expect(await one.take('ada', 'call')).toBeNull();
    for (const lease of taken) await lease?.release();
    expect(await one.take('ada', 'call')).not.toBeNull();
    expect(await one.take('bob', 'backfill')).not.toBeNull();
  });

  it('gets back what a dead process held', async () => {
    const dead = budget();
    await dead.take('cyd', 'backfill');
    await dead.take('cyd', 'backfill');
    dead.onApplicationShutdown();
    const redis = new Redis(server.url);
    try {
      const key = '{postrider}:connections:cyd';
      expect(await redis.pttl(key)).toBeGreaterThan(1000);
      for (const lease of await redis.zrange(key, 0, -1)) await redis.zadd(key, Date.now() - 1, lease);
    } finally {
      redis.disconnect();
    }
    expect(await budget().take('cyd', 'backfill')).not.toBeNull();
  });

  it('refuses nobody when Redis is away', async () => {
    expect(await budget('redis://127.0.0.1:1').take('ada', 'backfill')).not.toBeNull();
  });
});
