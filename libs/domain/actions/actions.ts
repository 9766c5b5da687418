import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { jsonArray, textArray } from '#libs/database/text-array.js';
import type { ActionKind } from '#libs/database/action.entity.js';

/** Notified with the account's id when it has something to write to its provider. */
export const ACTIONS_CHANNEL = 'account_actions';

/** What somebody wants of a message; what is left out stays as it is. */
export interface MessageWish {
  readonly unread?: boolean | undefined;
  readonly starred?: boolean | undefined;
  /** The folder it is to lie in. */
  readonly folderId?: string | undefined;
}

export interface NewAction extends MessageWish {
  readonly kind: ActionKind;
  /** The message or folder it changes. */
  readonly objectId: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Queues writes to the provider, in the transaction that shows their effect, and wakes who does them.
 * @returns their ids, which are job ids to whoever asks what became of them
 */
export async function queueActions(tx: Tx, actions: readonly NewAction[]): Promise<string[]> {
  if (actions.length === 0) return [];
  const ids = actions.map(() => newId());
  const queued = tx.query(
    `INSERT INTO actions (account_id, id, kind, object_id, unread, starred, folder_id, details)
     SELECT $1, id, kind, object_id, unread, starred, folder_id, details::jsonb
     FROM unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::text[], $8::json[]) WITH ORDINALITY
       AS row(id, kind, object_id, unread, starred, folder_id, details, ordinal)
     ORDER BY ordinal`,
    [
      tx.accountId,
      ids,
      actions.map(({ kind }) => kind),
      actions.map(({ objectId }) => objectId),
      actions.map(({ unread }) => unread ?? null),
      actions.map(({ starred }) => starred ?? null),
      textArray(actions.map(({ folderId }) => folderId ?? null)),
      jsonArray(actions.map(({ details }) => (details ? JSON.stringify(details) : null))),
    ],
  );
  await Promise.all([queued, tx.query(`SELECT pg_notify('${ACTIONS_CHANNEL}', $1)`, [tx.accountId])]);
  return ids;
}
