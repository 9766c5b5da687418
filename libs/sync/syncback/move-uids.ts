import type { Tx } from '#libs/changes/account-writer.js';

/** A message that lay in one folder and lies in another now. */
export interface MovedUid {
  readonly folderId: string;
  readonly uid: number;
  readonly targetId: string;
  /** Null when the server did not tell: the target's next pass finds it. */
  readonly targetUid: number | null;
  readonly uidValidity: string | null;
}

/**
 * Takes over what COPYUID (RFC 4315) told, so that a move need not be read back. A uid under another UIDVALIDITY than
 * that under which the target was read means nothing here. Recompute the messages afterwards.
 */
export async function moveUids(tx: Tx, moves: readonly MovedUid[]): Promise<void> {
  if (moves.length === 0) return;
  await tx.query(MOVE, [
    tx.accountId,
    moves.map((move) => move.folderId),
    moves.map((move) => move.uid),
    moves.map((move) => move.targetId),
    moves.map((move) => move.targetUid),
    moves.map((move) => move.uidValidity),
  ]);
}

const MOVE = `
  WITH move AS (
    SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])
      AS row(folder_id, uid, target_id, target_uid, uid_validity)
  ), gone AS (
    DELETE FROM message_uids place USING move
    WHERE place.account_id = $1 AND place.folder_id = move.folder_id AND place.uid = move.uid
    RETURNING place.message_id, place.flags, place.received_at, move.folder_id, move.target_id, move.target_uid,
              move.uid_validity
  ), come AS (
    INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
    SELECT $1, gone.target_id, gone.target_uid, gone.message_id, gone.flags, gone.received_at
    FROM gone JOIN folder_syncs target ON target.account_id = $1 AND target.folder_id = gone.target_id
    WHERE gone.target_uid IS NOT NULL AND target.cursor->>'uidValidity' = gone.uid_validity
    ON CONFLICT DO NOTHING RETURNING folder_id
  ), balance AS (
    SELECT folder_id, sum(change) AS change FROM (
      SELECT folder_id, -1 AS change FROM gone UNION ALL SELECT folder_id, 1 FROM come
    ) AS counted GROUP BY folder_id
  )
  UPDATE folder_syncs sync SET synced = synced + balance.change FROM balance
  WHERE sync.account_id = $1 AND sync.folder_id = balance.folder_id`;
