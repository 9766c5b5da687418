import { z } from 'zod';

import { type Webhook, webhookStates } from '#libs/database/webhook.entity.js';

import { unixSeconds } from '../accounts/account.view.js';

export const WebhookView = z
  .object({
    object: z.literal('webhook'),
    id: z.string(),
    application_id: z.string().describe('The client id'),
    callback_url: z.string(),
    state: z
      .enum(webhookStates)
      .describe(
        '`failing`: at least 95 % of what was sent during 15 minutes was not answered with 2xx within 10 s; `failed`: the same for three days, and nothing is sent any more until it is made `active` again',
      ),
    triggers: z.array(z.string()),
    version: z.literal('2.0'),
    in_order: z.boolean().describe('What is told of one account waits for what was to be told before'),
    full_objects: z.boolean().describe('Notifications carry the objects, not only their ids'),
    include_history: z.boolean().describe('Also tells of messages from before the account was connected'),
    notify_from: z.int().nullable().describe('Unix seconds; of messages received before nothing is told'),
    failing_since: z.int().nullable().describe('Unix seconds'),
    created_at: z.int(),
  })
  .meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof WebhookView>;

export type WebhookRow = Omit<Webhook, 'applicationId' | 'leaseOwner' | 'leaseUntil' | 'updatedAt'>;

const orNull = (date: Date | null): number | null => (date ? unixSeconds(date) : null);

export function toWebhookView(clientId: string, row: WebhookRow): WebhookView {
  return {
    object: 'webhook',
    id: row.id,
    application_id: clientId,
    callback_url: row.callbackUrl,
    state: row.state,
    triggers: row.triggers,
    version: '2.0',
    in_order: row.inOrder,
    full_objects: row.fullObjects,
    include_history: row.includeHistory,
    notify_from: orNull(row.notifyFrom),
    failing_since: orNull(row.badSince),
    created_at: unixSeconds(row.createdAt),
  };
}
