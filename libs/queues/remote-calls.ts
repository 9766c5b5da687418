import { randomUUID } from 'node:crypto';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

import { DomainError, type ErrorType } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { JobQueue } from './job-queue.js';
import { lazyRedis } from './lazy-redis.js';
import {
  type Outcome,
  type RemoteCallName,
  remoteCalls,
  type RemoteReply,
  type RemoteRequest,
} from './remote-call-catalogue.js';
import { callKey, REQUEST_TTL_MS } from './remote-call-desk.js';

const RETRIES = 3;

interface Waiter {
  settle(outcome: Outcome): void;
}

/**
 * The API's way to a provider: a request left sealed in Redis, a job that says so, and the reply on this process's own
 * channel. The worker holds every provider connection, so limits per account have one owner.
 */
@Injectable()
export class RemoteCalls implements OnApplicationShutdown {
  private readonly channel = `{postrider}:replies:${randomUUID()}`;
  private readonly waiters = new Map<string, Waiter>();
  private readonly redis: Redis;
  private subscriber: Redis | null = null;
  private listening: Promise<unknown> | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly box: SecretBox,
    private readonly queue: JobQueue,
  ) {
    this.redis = lazyRedis(config, RETRIES);
  }

  /**
   * @throws DomainError what the worker answered; 503 when no worker took the call up within the deadline, 504 when one
   *   did but the provider was slower than that
   */
  async call<N extends RemoteCallName>(
    name: N,
    request: RemoteRequest<N>,
    deadlineMs: number = remoteCalls[name].deadlineMs,
  ): Promise<RemoteReply<N>> {
    const callId = newId();
    const outcome = await this.outcomeOf(callId, deadlineMs, () => this.send(callId, name, request));
    if (!outcome.ok) {
      throw new DomainError(outcome.status, outcome.type as ErrorType, outcome.message, outcome.details);
    }
    return remoteCalls[name].reply.parse(outcome.reply) as RemoteReply<N>;
  }

  async onApplicationShutdown(): Promise<void> {
    this.redis.disconnect();
    this.subscriber?.disconnect();
  }

  private outcomeOf(callId: string, deadlineMs: number, send: () => Promise<void>): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      const timer = setTimeout(() => void this.expired(callId).then(resolve, reject), deadlineMs);
      this.waiters.set(callId, {
        settle: (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
      });
      send().catch((error: unknown) => {
        clearTimeout(timer);
        reject(error);
      });
    }).finally(() => this.waiters.delete(callId));
  }

  private async send(callId: string, name: RemoteCallName, request: unknown): Promise<void> {
    await this.listen();
    const sealed = this.box.seal(JSON.stringify({ name, request, channel: this.channel }), callId);
    await this.redis.set(callKey(callId), sealed, 'PX', REQUEST_TTL_MS);
    await this.queue.add('remote.call', { callId });
  }

  /** Takes an unanswered request back, and so learns whether a worker had it. */
  private async expired(callId: string): Promise<Outcome> {
    const untouched = await Promise.race([
      this.redis.getdel(callKey(callId)).catch(() => 'unknown'),
      new Promise<string>((resolve) => setTimeout(() => resolve('unknown'), 500)),
    ]);
    return untouched
      ? refusal(503, 'No sync worker took the request up. Please try again in a few minutes.')
      : refusal(504, 'The email server took too long to answer. Please try again in a few minutes.');
  }

  private listen(): Promise<unknown> {
    this.listening ??= this.subscribe().catch((error: unknown) => {
      this.listening = null;
      throw error;
    });
    return this.listening;
  }

  private async subscribe(): Promise<void> {
    this.subscriber ??= lazyRedis(this.config, RETRIES).on('message', (_channel: string, text: string) => {
      const { callId, outcome } = JSON.parse(text) as { callId: string; outcome: Outcome };
      this.waiters.get(callId)?.settle(outcome);
    });
    await this.subscriber.subscribe(this.channel);
  }
}

function refusal(status: number, message: string): Outcome {
  return { ok: false, status, type: 'provider_error', message };
}
