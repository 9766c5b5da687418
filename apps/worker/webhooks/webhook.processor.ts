import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { newId } from '#libs/common/ids.js';
import { DeliveryStore } from '#libs/domain/webhooks/delivery-store.js';
import { NotificationBodies } from '#libs/domain/webhooks/notification-bodies.js';
import { WebhookClient } from '#libs/domain/webhooks/webhook-client.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import type { JobPayload } from '#libs/queues/jobs.js';

import { DeliveryRun, type RunMeans } from './delivery-run.js';

interface Lane {
  /** Something was added while it ran. */
  again: boolean;
  run: DeliveryRun | null;
  readonly ended: Promise<void>;
}

/** Delivers to webhooks, to each in a run of its own: one that is slow holds up nobody but itself. */
@Injectable()
export class WebhookProcessor implements BeforeApplicationShutdown {
  private readonly lanes = new Map<string, Lane>();
  private readonly means: RunMeans;
  private stopping = false;

  constructor(
    private readonly store: DeliveryStore,
    client: WebhookClient,
    bodies: NotificationBodies,
    private readonly queue: JobQueue,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.means = { store, client, bodies, stopping: () => this.stopping };
  }

  /** What is on its way is waited for. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled([...this.lanes.values()].map(({ ended }) => ended));
  }

  async deliver({ webhookId }: JobPayload<'webhook.deliver'>): Promise<void> {
    const running = this.lanes.get(webhookId);
    if (running) {
      running.again = true;
      running.run?.poke();
    } else if (!this.stopping) await this.open(webhookId);
  }

  private open(webhookId: string): Promise<void> {
    const lane: Lane = { again: true, run: null, ended: Promise.resolve() };
    const ended = this.run(webhookId, lane).finally(() => this.lanes.delete(webhookId));
    this.lanes.set(webhookId, Object.assign(lane, { ended }));
    return ended;
  }

  /**
   * Whoever is told that something is due while another worker's run lasts leaves it to that one, which looks once more
   * after it has given its lease back: between the two nothing is overlooked.
   */
  private async run(webhookId: string, lane: Lane): Promise<void> {
    while (lane.again && !this.stopping) {
      lane.again = false;
      if (!(await this.runOnce(webhookId, lane))) return;
      const next = await this.store.nextDue(webhookId);
      if (next && next <= new Date()) lane.again = true;
      else if (next && !lane.again) await this.queue.addAt('webhook.deliver', { webhookId }, next);
    }
  }

  private async runOnce(webhookId: string, lane: Lane): Promise<boolean> {
    const owner = newId();
    const target = await this.store.lease(webhookId, owner);
    if (!target) return false;
    try {
      lane.run = new DeliveryRun(target, owner, this.means);
      await lane.run.finish();
    } finally {
      lane.run = null;
      await this.store
        .release(webhookId, owner)
        .catch((error: unknown) => this.logger.warn({ err: error, webhookId }, 'a lease runs out by itself'));
    }
    return true;
  }
}
