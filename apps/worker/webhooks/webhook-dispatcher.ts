import { setTimeout as sleep } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { ChangeBell } from '#libs/changes/change-bell.js';
import { Logger } from '#libs/common/logger.js';
import { DeliveryStore } from '#libs/domain/webhooks/delivery-store.js';
import { WebhookFanOut } from '#libs/domain/webhooks/fan-out.js';
import { WebhookHealth } from '#libs/domain/webhooks/webhook-health.js';
import { JobQueue } from '#libs/queues/job-queue.js';

/** Changes that come within this time are looked at together. */
const GATHER_MS = 10;
const ACCOUNTS_AT_A_TIME = 200;
const SWEEP_MS = 2000;
/** Of sweeps. */
const LOOK_BACK_EVERY = 5;
const REST_MS = 1000;

/**
 * Has the changes that are committed made into deliveries, and wakes those who deliver. Every worker hears of them all,
 * and the first to lock an account's position looks; what nobody was told of is found by the sweep.
 */
@Injectable()
export class WebhookDispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly accounts = new Set<string>();
  private wanted = false;
  private running: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private sweeping: Promise<void> | null = null;
  private sweeps = 0;
  private stopping = false;

  constructor(
    private readonly fanOut: WebhookFanOut,
    private readonly store: DeliveryStore,
    private readonly health: WebhookHealth,
    private readonly bell: ChangeBell,
    private readonly queue: JobQueue,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.bell.listenToAll((accountId) => this.heard(accountId));
    this.timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.sweep();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    if (this.timer) clearInterval(this.timer);
    await Promise.allSettled([this.running, this.sweeping]);
  }

  private heard(accountId: string | null): void {
    if (this.stopping) return;
    if (accountId === null) {
      this.sweeps = 0;
      return this.sweep();
    }
    if (!this.wanted) return;
    this.accounts.add(accountId);
    this.go();
  }

  private go(): void {
    this.running ??= this.run()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'changes not told of yet; they will be'))
      .finally(() => {
        this.running = null;
      });
  }

  private async run(): Promise<void> {
    while (this.accounts.size > 0 && !this.stopping) {
      await sleep(GATHER_MS);
      const some = [...this.accounts].slice(0, ACCOUNTS_AT_A_TIME);
      for (const id of some) this.accounts.delete(id);
      const { webhookIds, accountIds } = await this.fanOut.run(some);
      for (const id of accountIds) this.accounts.add(id);
      await Promise.all(webhookIds.map((webhookId) => this.queue.continue('webhook.deliver', { webhookId })));
    }
  }

  private sweep(): void {
    this.sweeping ??= this.look()
      .catch(async (error: unknown) => {
        this.logger.warn({ err: error }, 'looking for what webhooks were not told of failed');
        await sleep(REST_MS);
      })
      .finally(() => {
        this.sweeping = null;
      });
  }

  private async look(): Promise<void> {
    const before = this.wanted;
    this.wanted = await this.fanOut.isWanted();
    if (!this.wanted) return;
    if (!before || this.sweeps % LOOK_BACK_EVERY === 0) {
      for (const id of await this.fanOut.behind()) this.accounts.add(id);
    }
    if (this.accounts.size > 0) this.go();
    for (const webhookId of await this.store.abandoned()) await this.queue.continue('webhook.deliver', { webhookId });
    await this.health.judge();
    this.sweeps += 1;
  }
}
