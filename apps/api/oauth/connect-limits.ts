import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Request } from 'express';
import type { Redis } from 'ioredis';
import ipaddr from 'ipaddr.js';

import { TooManyRequests } from '#libs/common/errors.js';
import { sha256 } from '#libs/common/hash.js';
import { Logger } from '#libs/common/logger.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { lazyRedis } from '#libs/queues/lazy-redis.js';

interface Limit {
  /** For people: `from your address`. */
  readonly what: string;
  readonly most: number;
  readonly windowMs: number;
}

/** Counts in windows that begin with the first request. @returns the count, and milliseconds to the window's end */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`;

/**
 * Keeps native authentication from being used to guess passwords or to knock at other people's servers. Counts are in
 * Redis, for all API processes together; without Redis nothing can be connected, so nothing is refused here.
 */
@Injectable()
export class ConnectLimits implements CanActivate, OnApplicationShutdown {
  private readonly redis: Redis;
  private readonly perAddress: Limit;
  private readonly perEmail: Limit;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.redis = lazyRedis(config, 1);
    this.perAddress = { what: 'from your address', most: config.CONNECT_LIMIT_PER_ADDRESS, windowMs: 60_000 };
    this.perEmail = { what: 'for this mailbox', most: config.CONNECT_LIMIT_PER_EMAIL, windowMs: 600_000 };
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { ip = '' } = context.switchToHttp().getRequest<Request>();
    await this.count(`address:${networkOf(ip)}`, this.perAddress);
    return true;
  }

  /** Counts a try to sign in at a mailbox. @throws TooManyRequests */
  async takeTry(email: string): Promise<void> {
    await this.count(emailKey(email), this.perEmail);
  }

  /** After a try that succeeded: whoever knows the password guesses nothing. */
  async forget(email: string): Promise<void> {
    await this.redis.del(keyOf(emailKey(email))).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'a sign-in that succeeded stays counted as a try');
    });
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }

  private async count(subject: string, { what, most, windowMs }: Limit): Promise<void> {
    const answer = await this.redis.eval(COUNT, 1, keyOf(subject), windowMs).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'connect limits are not enforced');
      return [0, 0];
    });
    const [count, remainingMs] = answer as [number, number];
    if (count <= most) return;
    const seconds = Math.max(1, Math.ceil(remainingMs / 1000));
    throw new TooManyRequests(`Too many requests ${what}. Please try again in ${seconds} seconds.`, most, seconds);
  }
}

const keyOf = (subject: string) => `{postrider}:connect:${subject}`;
const emailKey = (email: string) => `email:${sha256(canonicalEmail(email))}`;

/** An IPv6 customer has a whole /64 to choose addresses from. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
