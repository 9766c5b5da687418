import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { TooManyRequests } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { SignedIn } from '#libs/domain/accounts/account-access.js';
import { lazyRedis } from '#libs/queues/lazy-redis.js';

/**
 * Buckets that hold the requests of one second and fill evenly. Each is one number: the time, in milliseconds, at which it
 * would be full. One takes from all of them, or from none. KEYS: buckets; ARGV: requests a second of each.
 * @returns for each bucket what is left in it, and milliseconds until the request could be taken from it: 0 if it was
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local answer, full, wait = {}, {}, 0
for n = 1, #KEYS do
  local step = 1000 / tonumber(ARGV[n])
  full[n] = math.max(now, tonumber(redis.call('GET', KEYS[n]) or 0)) + step
  local late = full[n] - now - 1000
  wait = math.max(wait, late)
  answer[2 * n] = math.ceil(math.max(0, late))
  answer[2 * n - 1] = math.floor(math.max(0, -late) / step + 0.001)
end
if wait <= 0.001 then
  for n = 1, #KEYS do redis.call('SET', KEYS[n], string.format('%.3f', full[n]), 'PX', 2000) end
end
return answer`;

interface Limit {
  readonly key: string;
  /** For people: `of this account`. */
  readonly whose: string;
  /** Requests a second. */
  readonly most: number;
}

/** What the client is told about the tighter of its limits. */
export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
}

/**
 * How many requests accounts and applications may make a second. Counted in Redis, for all API processes together;
 * without Redis nothing is refused.
 */
@Injectable()
export class RateLimits implements OnApplicationShutdown {
  private readonly redis: Redis;

  constructor(
    @Inject(CONFIG)
    private readonly config: Pick<Config, 'REDIS_URL' | 'RATE_LIMIT_PER_ACCOUNT' | 'RATE_LIMIT_PER_APPLICATION'>,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.redis = lazyRedis(config, 1);
  }

  /** Counts a request. @returns null when nothing is limited @throws TooManyRequests */
  async take({ id, applicationId }: Pick<SignedIn, 'id' | 'applicationId'>): Promise<Allowance | null> {
    const limits = [
      { key: `account:${id}`, whose: 'of this account', most: this.config.RATE_LIMIT_PER_ACCOUNT },
      {
        key: `application:${applicationId}`,
        whose: 'of this application',
        most: this.config.RATE_LIMIT_PER_APPLICATION,
      },
    ].filter(({ most }) => most > 0);
    if (limits.length === 0) return null;
    const answer = await this.ask(limits);
    if (answer === null) return null;
    const buckets = limits.map(({ whose, most }, n) => ({
      whose,
      limit: most,
      remaining: answer[2 * n] ?? 0,
      waitMs: answer[2 * n + 1] ?? 0,
    }));
    const [tightest] = buckets.toSorted((a, b) => b.waitMs - a.waitMs || a.remaining - b.remaining);
    if (!tightest) return null;
    if (tightest.waitMs === 0) return { limit: tightest.limit, remaining: tightest.remaining };
    const seconds = Math.ceil(tightest.waitMs / 1000);
    const message = `Too many requests ${tightest.whose}: ${tightest.limit} a second are allowed. Please try again later.`;
    throw new TooManyRequests(message, tightest.limit, seconds);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  private async ask(limits: readonly Limit[]): Promise<number[] | null> {
    const keys = limits.map(({ key }) => `{postrider}:rate:${key}`);
    const rates = limits.map(({ most }) => most);
    return this.redis.eval(TAKE, keys.length, ...keys, ...rates).then(
      (answer) => answer as number[],
      (error: unknown) => {
        this.logger.warn({ err: error }, 'rate limits are not enforced');
        return null;
      },
    );
  }
}
