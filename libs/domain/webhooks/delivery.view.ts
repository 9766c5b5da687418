import { z } from 'zod';

import type { DeliveryState } from '#libs/database/webhook.entity.js';

import { unixSeconds } from '../accounts/account.view.js';

import { type NotificationFacts, payloadOf } from './payload.js';

export const AttemptView = z.object({
  date: z.int().describe('Unix seconds'),
  status: z.int().nullable().describe('Of the answer; null when there was none'),
  error: z.string().nullable().describe('Why there was none: `TIMEOUT`, `ECONNREFUSED`, …'),
  duration_ms: z.int(),
});

export const DeliveryView = z
  .object({
    object: z.literal('webhook_delivery'),
    id: z.string().describe('As in the header `X-Postrider-Delivery`; the same in every attempt and replay'),
    webhook_id: z.string(),
    account_id: z.string(),
    trigger: z.string(),
    object_id: z.string(),
    state: z.enum(['pending', 'delivered', 'failed']),
    created_at: z.int().describe('Unix seconds; when it happened'),
    next_attempt_at: z.int().nullable().describe('Unix seconds'),
    attempts: z.array(AttemptView).describe('Oldest first, the last 20 of them'),
    request: z
      .object({ method: z.literal('POST'), url: z.string(), body: z.string() })
      .describe('As it is sent now, without objects in full'),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryView = z.infer<typeof DeliveryView>;

export interface DeliveryRow extends NotificationFacts {
  readonly id: string;
  readonly webhookId: string;
  readonly state: DeliveryState;
  readonly dueAt: Date;
  readonly history: readonly {
    readonly at: number;
    readonly status: number | null;
    readonly error: string | null;
    readonly ms: number;
  }[];
}

export function toDeliveryView(callbackUrl: string, row: DeliveryRow): DeliveryView {
  return {
    object: 'webhook_delivery',
    id: row.id,
    webhook_id: row.webhookId,
    account_id: row.accountId,
    trigger: row.trigger,
    object_id: row.objectId,
    state: row.state,
    created_at: unixSeconds(row.occurredAt),
    next_attempt_at: row.state === 'pending' ? unixSeconds(row.dueAt) : null,
    attempts: row.history.map(({ at, status, error, ms }) => ({ date: at, status, error, duration_ms: ms })),
    request: { method: 'POST', url: callbackUrl, body: payloadOf(row) },
  };
}
