import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

import { InvalidRequest, NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';
import type { DeliveryState } from '#libs/database/webhook.entity.js';
import { JobQueue } from '#libs/queues/job-queue.js';

import type { ApplicationRef } from '../applications/applications.service.js';
import type { Page } from '../messages/mail-filter.js';

import { type DeliveryRow, type DeliveryView, toDeliveryView } from './delivery.view.js';
import { WebhooksService } from './webhooks.service.js';

export interface DeliveryFilter {
  readonly state?: DeliveryState;
  readonly accountId?: string;
  /** Of when it happened, the first included and the last not. */
  readonly from?: Date;
  readonly to?: Date;
}

const PORTION = 5000;
const COLUMNS = `id, webhook_id AS "webhookId", account_id AS "accountId", trigger, object, object_id AS "objectId",
  attributes, metadata, occurred_at AS "occurredAt", state, due_at AS "dueAt", history`;
const CHOSEN = `webhook_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR account_id = $3)
  AND ($4::timestamptz IS NULL OR occurred_at >= $4) AND ($5::timestamptz IS NULL OR occurred_at < $5)`;

/** What was delivered to a webhook, what was not, and once more what its owner wants to hear again. */
@Injectable()
export class DeliveryLog {
  constructor(
    private readonly reader: Reader,
    private readonly pool: Pool,
    private readonly webhooks: WebhooksService,
    private readonly queue: JobQueue,
  ) {}

  /** Newest first. @throws NotFound */
  async list(
    application: ApplicationRef,
    webhookId: string,
    filter: DeliveryFilter,
    { limit, offset }: Page,
  ): Promise<DeliveryView[]> {
    const { callbackUrl } = await this.webhooks.row(application, webhookId);
    const rows = await this.reader.rows<DeliveryRow>(
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE ${CHOSEN} ORDER BY id DESC LIMIT $6 OFFSET $7`,
      [webhookId, ...valuesOf(filter), limit, offset],
    );
    return rows.map((row) => toDeliveryView(callbackUrl, row));
  }

  /** @throws NotFound */
  async get(application: ApplicationRef, webhookId: string, id: string): Promise<DeliveryView> {
    const { callbackUrl } = await this.webhooks.row(application, webhookId);
    const [row] = await this.reader.rows<DeliveryRow>(
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2`,
      [webhookId, id],
    );
    if (!row) throw new NotFound('delivery', id);
    return toDeliveryView(callbackUrl, row);
  }

  /** Delivers it once more, under the same id, whatever became of it. @throws NotFound, InvalidRequest */
  async replay(application: ApplicationRef, webhookId: string, id: string): Promise<DeliveryView> {
    await this.refuseOff(application, webhookId);
    await this.get(application, webhookId, id);
    await this.again(webhookId, [id]);
    await this.queue.continue('webhook.deliver', { webhookId });
    return this.get(application, webhookId, id);
  }

  /**
   * Delivers once more what was settled and is chosen so, in the order in which it happened.
   * @returns how many @throws NotFound, InvalidRequest for a webhook that is switched off
   */
  async replayAll(application: ApplicationRef, webhookId: string, filter: DeliveryFilter): Promise<number> {
    await this.refuseOff(application, webhookId);
    let count = 0;
    for (let last = ''; ;) {
      const { rows } = await this.pool.query<{ id: string }>(
        `SELECT id FROM webhook_deliveries WHERE ${CHOSEN} AND state <> 'pending' AND id > $6 ORDER BY id LIMIT $7`,
        [webhookId, ...valuesOf(filter), last, PORTION],
      );
      count += await this.again(
        webhookId,
        rows.map(({ id }) => id),
      );
      if (rows.length < PORTION) break;
      last = rows.at(-1)!.id;
    }
    await this.queue.continue('webhook.deliver', { webhookId });
    return count;
  }

  private async again(webhookId: string, ids: readonly string[]): Promise<number> {
    const rows = await this.reader.rows(
      `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at = now(), settled_at = NULL
       WHERE webhook_id = $1 AND id = ANY($2) AND state <> 'pending' RETURNING 1`,
      [webhookId, ids],
    );
    return rows.length;
  }

  private async refuseOff(application: ApplicationRef, webhookId: string): Promise<void> {
    const { state } = await this.webhooks.row(application, webhookId);
    if (state === 'active' || state === 'failing') return;
    throw new InvalidRequest(`Nothing is delivered to a webhook that is ${state}: make it active first`);
  }
}

const valuesOf = ({ state, accountId, from, to }: DeliveryFilter) => [
  state ?? null,
  accountId ?? null,
  from ?? null,
  to ?? null,
];
