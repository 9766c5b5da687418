import { Redis } from 'ioredis';

import type { Config } from '#libs/config/config.js';

/**
 * Connects with its first command. ioredis reports a lost connection as an event as well as on each command; the
 * commands' callers see to it.
 * @param retries how many attempts to connect a command waits for before it fails
 */
export function lazyRedis({ REDIS_URL }: Pick<Config, 'REDIS_URL'>, retries: number): Redis {
  return new Redis(REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: retries }).on('error', () => {});
}
