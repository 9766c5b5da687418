import { noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';

import type { NewMessage } from './insert-rows.js';

/** A batch writes at most this many lines about messages that were cut short. */
const MAX_LINES = 20;

/** Puts into the account's log which messages were not kept in full, and why. */
export async function noteLimited(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  const limited = messages.filter((message) => message.parsed.state !== 'complete').slice(0, MAX_LINES);
  await noteEvents(
    tx,
    limited.map(({ id, parsed }) => ({
      level: 'warn',
      kind: `message.${parsed.state}`,
      message: parsed.problem ?? 'The message could not be read in full.',
      details: { messageId: id },
    })),
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
  const message = `The mail server left out the flags of ${count} messages.`;
  await noteEvents(tx, [{ level: 'warn', kind: 'message.flagless', message, details: { folderId } }]);
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
  if (failures.length === 0) return;
  await tx.query(
    `INSERT INTO poison_uids (account_id, folder_id, uid, attempts, reason)
     SELECT DISTINCT ON (uid) $1, $2, uid, 1, left(reason, 500) FROM unnest($3::text[], $4::text[]) AS failure(uid, reason)
     ON CONFLICT (account_id, folder_id, uid)
     DO UPDATE SET attempts = poison_uids.attempts + 1, reason = excluded.reason, updated_at = now()`,
    [tx.accountId, folderId, failures.map(({ uid }) => uid), failures.map(({ reason }) => reason)],
  );
  await noteEvents(
    tx,
    failures.map(({ uid, reason }) => ({
      level: 'warn',
      kind: 'message.unreadable',
      message: `A message could not be read and is kept out: ${reason.slice(0, 300)}`,
      details: { folderId, uid },
    })),
  );
}

/** So often a message is asked for that the server does not hand out. */
const ABSENT_TRIES = 3;

/**
 * Has messages asked for again, soon, that the server spoke of and did not hand out: clusters lag behind themselves.
 * Most were deleted meanwhile, so nobody is told, and after some tries they are left to the folder's comparison.
 */
export async function noteAbsent(tx: Tx, folderId: string, uids: readonly number[]): Promise<void> {
  if (uids.length === 0) return;
  await tx.query(
    `WITH given_up AS (
       DELETE FROM poison_uids WHERE account_id = $1 AND folder_id = $2 AND uid = ANY($3) AND attempts + 1 >= $4
       RETURNING uid
     )
     INSERT INTO poison_uids (account_id, folder_id, uid, attempts, reason)
     SELECT $1, $2, uid, 0, 'The server did not hand it out.' FROM unnest($3::text[]) AS absent(uid)
     WHERE uid NOT IN (SELECT uid FROM given_up)
     ON CONFLICT (account_id, folder_id, uid) DO UPDATE SET attempts = poison_uids.attempts + 1, updated_at = now()`,
    [tx.accountId, folderId, uids.map(String), ABSENT_TRIES],
  );
}
