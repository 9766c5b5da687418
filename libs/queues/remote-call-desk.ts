import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { SecretBox } from '#libs/common/secret-box.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { lazyRedis } from './lazy-redis.js';
import { type Outcome, type RemoteCallName, remoteCalls, type TakenCall } from './remote-call-catalogue.js';

const RETRIES = 3;

/** How long a request waits for a worker; a sealed password lies in Redis no longer than this. */
export const REQUEST_TTL_MS = 60_000;

export function callKey(callId: string): string {
  return `{postrider}:call:${callId}`;
}

/** The worker's end of RemoteCalls. */
@Injectable()
export class RemoteCallDesk implements OnApplicationShutdown {
  private readonly redis: Redis;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly box: SecretBox,
  ) {
    this.redis = lazyRedis(config, RETRIES);
  }

  /** Takes the request out of Redis: one worker gets it, once. Null when the caller has given up. */
  async take(callId: string): Promise<TakenCall | null> {
    const sealed = await this.redis.getdel(callKey(callId));
    if (sealed === null) return null;
    const { name, request, channel } = JSON.parse(this.box.open(sealed, callId)) as TakenCall;
    return { name, request: remoteCalls[name satisfies RemoteCallName].request.parse(request), channel } as TakenCall;
  }

  async reply(callId: string, channel: string, outcome: Outcome): Promise<void> {
    await this.redis.publish(channel, JSON.stringify({ callId, outcome }));
  }

  async onApplicationShutdown(): Promise<void> {
    this.redis.disconnect();
  }
}
