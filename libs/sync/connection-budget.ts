import { randomUUID } from 'node:crypto';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { Logger } from '#libs/common/logger.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { lazyRedis } from '#libs/queues/lazy-redis.js';

/** A place in the budget: taken before a connection is opened, given back after it is closed. */
export interface ConnectionLease {
  release(): Promise<void>;
}

/** A process that dies leaves its leases behind for this long. */
const LEASE_MS = 20_000;
const RENEW_MS = 5000;

/** KEYS: leases by their end, in Redis's own time. ARGV: the lease, how many there may be, how long it lasts. */
const TAKE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/**
 * Keeps an account below SYNC_IMAP_MAX_CONNECTIONS over all threads and workers. One connection belongs to the session,
 * of which there is one anyway; one more is kept free for calls while old mail is read. Redis holds the rest as leases.
 * Without Redis nobody is refused: there are no jobs then that could ask.
 */
@Injectable()
export class ConnectionBudget implements OnApplicationShutdown {
  private readonly redis: Redis;
  private readonly held = new Map<string, string>();
  private renewing: NodeJS.Timeout | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.redis = lazyRedis(config, 1);
  }

  /** Null when the account has as many connections as it may. */
  async take(accountId: string, use: 'backfill' | 'call'): Promise<ConnectionLease | null> {
    const most = this.config.SYNC_IMAP_MAX_CONNECTIONS - (use === 'backfill' ? 2 : 1);
    const [key, lease] = [keyOf(accountId), randomUUID()];
    const taken = await this.redis.eval(TAKE, 1, key, lease, most, LEASE_MS).catch((error: unknown) => {
      this.logger.warn({ err: error, accountId }, 'a connection is opened uncounted');
      return 1;
    });
    if (taken !== 1) return null;
    this.held.set(lease, key);
    this.renewing ??= setInterval(() => void this.renew(), RENEW_MS).unref();
    return { release: () => this.release(key, lease) };
  }

  onApplicationShutdown(): void {
    if (this.renewing) clearInterval(this.renewing);
    this.redis.disconnect();
  }

  private async release(key: string, lease: string): Promise<void> {
    this.held.delete(lease);
    await this.redis.zrem(key, lease).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'a connection that was closed stays counted until its lease ends');
    });
  }

  /** Whatever Redis thinks of them meanwhile, these connections are open. */
  private async renew(): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const [lease, key] of this.held) pipeline.eval(TAKE, 1, key, lease, Number.MAX_SAFE_INTEGER, LEASE_MS);
    await pipeline.exec().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'leases of connections were not renewed');
    });
  }
}

function keyOf(accountId: string): string {
  return `{postrider}:connections:${accountId}`;
}
