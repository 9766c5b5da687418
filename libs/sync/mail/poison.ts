import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';

/** Remembers messages that could not be read or stored; after three times they are not tried again. */
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
