import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';
import { lazyRedis } from '#libs/queues/lazy-redis.js';

const PATIENCE_MS = 2000;

/** Asks the database and Redis whether they answer, each time anew. */
@Injectable()
export class Readiness implements OnApplicationShutdown {
  private readonly redis: Redis;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly reader: Reader,
  ) {
    this.redis = lazyRedis(config, 1);
  }

  async check(): Promise<{ database: boolean; redis: boolean }> {
    const [database, redis] = await Promise.all([answers(this.reader.rows('SELECT 1')), answers(this.redis.ping())]);
    return { database, redis };
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const answer = question.then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
