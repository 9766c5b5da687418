import { setTimeout as sleep } from 'node:timers/promises';

import type { DeliveryStore, DueDelivery, Outcome, Target } from '#libs/domain/webhooks/delivery-store.js';
import type { NotificationBodies } from '#libs/domain/webhooks/notification-bodies.js';
import { payloadOf } from '#libs/domain/webhooks/payload.js';
import { retryDelayMs } from '#libs/domain/webhooks/retry.js';
import { signatureHeaders } from '#libs/domain/webhooks/signature.js';
import { isAccepted, type WebhookClient } from '#libs/domain/webhooks/webhook-client.js';

/** Requests to one webhook at a time. */
const AT_ONCE = 32;
/** Read at a time, when fewer than half of them are left. */
const PORTION = 256;
/** What was answered is written down this often: it is all that a worker that dies makes come twice. */
const SETTLE_EVERY_MS = 15;
/** A run waits so long for more: beginning one takes longer than to go on. */
const LINGER_MS = 100;
const RENEW_EVERY_MS = 3000;

/** Everything a run needs. */
export interface RunMeans {
  readonly store: DeliveryStore;
  readonly client: WebhookClient;
  readonly bodies: NotificationBodies;
  readonly stopping: () => boolean;
}

/** Delivers what is due to one webhook, until nothing is. */
export class DeliveryRun {
  private waiting: DueDelivery[][] = [];
  /** Ids, and accounts whose order matters, of what was read and is not settled. */
  private readonly held = new Set<string>();
  private outcomes: Outcome[] = [];
  private unheld: string[] = [];
  private active = 0;
  /** There may be something to read. */
  private more = true;
  private busyAt = Date.now();
  /** What ends the run: the database, for an answer there always is. */
  private failure: unknown = null;
  private renewedAt = Date.now();
  private readonly url: string;

  constructor(
    private target: Target,
    private readonly owner: string,
    private readonly means: RunMeans,
  ) {
    this.url = target.url.href;
  }

  async finish(): Promise<void> {
    let mayGoOn = true;
    for (;;) {
      mayGoOn &&= !this.means.stopping() && (await this.renew());
      if (!mayGoOn) this.waiting = [];
      else if (this.more && this.waiting.length < PORTION / 2) await this.read();
      this.send();
      const isIdle = this.active === 0 && this.waiting.length === 0 && this.outcomes.length === 0;
      if (!isIdle) this.busyAt = Date.now();
      else if (!mayGoOn || Date.now() - this.busyAt > LINGER_MS) return;
      await sleep(SETTLE_EVERY_MS);
      await this.settle();
      // oxlint-disable-next-line no-throw-literal -- as it was thrown
      if (this.failure !== null) throw this.failure;
    }
  }

  /** Something was added. */
  poke(): void {
    this.more = true;
  }

  /** @returns false when the run has to end: switched off, moved, or taken over */
  private async renew(): Promise<boolean> {
    if (Date.now() - this.renewedAt < RENEW_EVERY_MS) return true;
    const target = await this.means.store.lease(this.target.webhookId, this.owner);
    if (!target || target.url.href !== this.url) return false;
    this.target = target;
    this.renewedAt = Date.now();
    return true;
  }

  private async read(): Promise<void> {
    this.more = false;
    const runs = await this.means.store.due(this.target, this.owner, [...this.held], PORTION);
    if (runs.length >= PORTION) this.more = true;
    for (const run of runs) {
      for (const { id } of run) this.held.add(id);
      if (run[0]!.lane !== null) this.held.add(run[0]!.lane);
    }
    this.waiting.push(...runs);
  }

  /** As many as may be on their way. */
  private send(): void {
    while (this.active < AT_ONCE && this.waiting.length > 0) {
      const run = this.waiting.shift()!;
      this.active += 1;
      void this.sendRun(run)
        .catch((error: unknown) => {
          this.failure = error;
        })
        .finally(() => {
          this.active -= 1;
          this.send();
        });
    }
  }

  /** One after the other; what follows one that is not accepted waits for its next turn. */
  private async sendRun(run: readonly DueDelivery[]): Promise<void> {
    for (const delivery of run) {
      if (!(await this.sendOne(delivery))) break;
    }
    this.unheld.push(...run.map(({ id }) => id), ...(run[0]!.lane === null ? [] : [run[0]!.lane]));
  }

  private async sendOne(delivery: DueDelivery): Promise<boolean> {
    const at = Date.now();
    const attempts = delivery.attempts + 1;
    const body = this.target.fullObjects ? await this.means.bodies.full(delivery) : payloadOf(delivery);
    const seconds = Math.floor(at / 1000);
    const { status, error, ms } = await this.means.client.post(
      this.target.url,
      {
        'content-type': 'application/json',
        'user-agent': 'Postrider',
        'x-postrider-delivery': delivery.id,
        'x-postrider-attempt': String(attempts),
        ...signatureHeaders(body, this.target.secrets, seconds),
      },
      body,
    );
    const accepted = isAccepted({ status });
    const retryMs = accepted ? null : retryDelayMs(attempts);
    this.outcomes.push({ id: delivery.id, accepted, retryMs, attempt: { at: seconds, status, error, ms } });
    return accepted;
  }

  private async settle(): Promise<void> {
    if (this.outcomes.length === 0) return;
    const [outcomes, unheld] = [this.outcomes, this.unheld];
    [this.outcomes, this.unheld] = [[], []];
    await this.means.store.settle(this.target.webhookId, outcomes);
    for (const key of unheld) this.held.delete(key);
    // What follows in the order of an account was not read as long as it was held.
    if (this.target.inOrder && unheld.length > 0) this.more = true;
  }
}
