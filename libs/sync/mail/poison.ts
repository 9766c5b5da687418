import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';

import type { NewMessage } from './insert-rows.js';

/** A batch writes at most this many lines about messages that were cut short. */
const MAX_LINES = 20;

/** Puts into the account's log which messages were not kept in full, and why. */
export async function noteLimited(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  const limited = messages.filter((message) => message.parsed.state !== 'complete').slice(0, MAX_LINES);
  if (limited.length === 0) return;
  await tx.query(
    `INSERT INTO account_events (account_id, id, level, kind, message, details)
     SELECT $1, id, 'warn', 'message.' || state, message, json_build_object('messageId', message_id)
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS row(id, state, message, message_id)`,
    [
      tx.accountId,
      limited.map(() => newId()),
      limited.map((message) => message.parsed.state),
      limited.map((message) => message.parsed.problem ?? 'The message could not be read in full.'),
      limited.map((message) => message.id),
    ],
  );
}

/** Puts into the account's log how many messages came without flags, and has the folder compared with the server. */
export async function noteFlagless(
  tx: Tx,
  folderId: string,
  messages: readonly { readonly flags: readonly string[] | null }[],
): Promise<void> {
  const count = messages.filter((message) => message.flags === null).length;
  if (count === 0) return;
  await tx.query(
    `INSERT INTO account_events (account_id, id, level, kind, message, details)
     VALUES ($1, $2, 'warn', 'message.flagless', $3, $4)`,
    [tx.accountId, newId(), `The mail server left out the flags of ${count} messages.`, JSON.stringify({ folderId })],
  );
  await tx.query('UPDATE folder_syncs SET drift_checked_at = NULL WHERE account_id = $1 AND folder_id = $2', [
    tx.accountId,
    folderId,
  ]);
}

/** Remembers messages that could not be read or stored: they rest before they are tried again. */
export async function notePoison(
  tx: Tx,
  folderId: string,
  failures: readonly { readonly uid: number; readonly reason: string }[],
): Promise<void> {
  for (const { uid, reason } of failures) {
    await tx.query(
      `INSERT INTO poison_uids (account_id, folder_id, uid, attempts, reason) VALUES ($1, $2, $3, 1, $4)
       ON CONFLICT (account_id, folder_id, uid)
       DO UPDATE SET attempts = poison_uids.attempts + 1, reason = excluded.reason, updated_at = now()`,
      [tx.accountId, folderId, String(uid), reason.slice(0, 500)],
    );
    await tx.query(
      `INSERT INTO account_events (account_id, id, level, kind, message, details)
       VALUES ($1, $2, 'warn', 'message.unreadable', $3, $4)`,
      [
        tx.accountId,
        newId(),
        `A message could not be read and is kept out: ${reason.slice(0, 300)}`,
        JSON.stringify({ folderId, uid }),
      ],
    );
  }
}
