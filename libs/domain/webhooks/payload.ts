import { unixSeconds } from '../accounts/account.view.js';

/** What a notification is made of: a row of `webhook_deliveries`. */
export interface NotificationFacts {
  readonly trigger: string;
  readonly object: string;
  readonly objectId: string;
  readonly accountId: string;
  readonly occurredAt: Date;
  readonly attributes: unknown;
  readonly metadata: unknown;
}

/** The body, the same however often it is sent. @param full the object as JSON text, where it is to be carried */
export function payloadOf(facts: NotificationFacts, full: string | null = null): string {
  const { trigger, object, objectId, accountId } = facts;
  const delta = {
    date: unixSeconds(facts.occurredAt),
    object,
    type: trigger,
    object_data: {
      namespace_id: accountId,
      account_id: accountId,
      object,
      id: objectId,
      attributes: full === null ? facts.attributes : (JSON.parse(full) as unknown),
      metadata: facts.metadata,
    },
  };
  return JSON.stringify({ deltas: [delta] });
}
