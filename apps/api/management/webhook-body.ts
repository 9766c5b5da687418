import { z } from 'zod';

import { triggers } from '#libs/domain/webhooks/triggers.js';
import type { WebhookSettings } from '#libs/domain/webhooks/webhooks.service.js';

const MOST_CHARACTERS = 2000;

function faultOf(text: string): string | null {
  if (text.length > MOST_CHARACTERS) return 'is too long';
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) return 'must be an http or https address';
  const { username, password, hash } = new URL(text);
  if (username !== '' || password !== '') return 'must not contain a user or password';
  return hash === '' ? null : 'must not have a fragment';
}

const callbackUrl = z
  .string('"callback_url" must be an http or https address')
  .trim()
  .superRefine((text, context) => {
    const fault = faultOf(text);
    if (fault) context.addIssue({ code: 'custom', message: `"callback_url" ${fault}` });
  })
  .transform((text) => (faultOf(text) === null ? new URL(text).href : text));

const triggerList = z
  .array(z.string(), '"triggers" must be a list')
  .min(1, '"triggers" must name at least one')
  .superRefine((list, context) => {
    const unknown = list.find((name) => !(triggers as readonly string[]).includes(name));
    if (unknown === undefined) return;
    context.addIssue({ code: 'custom', message: `"triggers": there is no ${unknown.slice(0, 60)}` });
  })
  .transform((list) => [...new Set(list)]);

const flag = (name: string) => z.boolean(`"${name}" must be true or false`);
const state = z.enum(['active', 'inactive'], '"state" must be active or inactive');
const notifyFrom = z.int('"notify_from" must be unix seconds').min(0).max(99_999_999_999).nullable();

export const NewWebhook = z.object({
  callback_url: callbackUrl,
  triggers: triggerList,
  state: state.default('active').describe('An active one has to answer a challenge'),
  in_order: flag('in_order').default(false),
  full_objects: flag('full_objects').default(false),
  include_history: flag('include_history').default(true),
  notify_from: notifyFrom.default(null),
});
export type NewWebhook = z.infer<typeof NewWebhook>;

/** What is left out stays. */
export const WebhookChange = z.object({
  callback_url: callbackUrl.optional(),
  triggers: triggerList.optional(),
  state: state.optional(),
  in_order: flag('in_order').optional(),
  full_objects: flag('full_objects').optional(),
  include_history: flag('include_history').optional(),
  notify_from: notifyFrom.optional(),
});
export type WebhookChange = z.infer<typeof WebhookChange>;

const dateOf = (seconds: number | null | undefined) =>
  typeof seconds === 'number' ? new Date(seconds * 1000) : seconds;

export function toSettings(body: NewWebhook): WebhookSettings;
export function toSettings(body: WebhookChange): Partial<WebhookSettings>;
export function toSettings(body: WebhookChange): Partial<WebhookSettings> {
  return {
    callbackUrl: body.callback_url,
    triggers: body.triggers,
    state: body.state,
    inOrder: body.in_order,
    fullObjects: body.full_objects,
    includeHistory: body.include_history,
    notifyFrom: dateOf(body.notify_from),
  };
}
