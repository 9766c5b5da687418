import type { Tx } from '#libs/changes/account-writer.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { queueActions } from '#libs/domain/actions/actions.js';
import { touchAnsweringDrafts } from '#libs/domain/messages/answered-drafts.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { isUnsaved, onItsWay } from '#libs/domain/send/on-its-way.js';

export interface UidFlags {
  readonly uid: number;
  readonly flags: readonly string[];
}

/** Takes over the provider's flags, and what follows from them. */
export async function applyFlags(tx: Tx, folderId: string, changes: readonly UidFlags[]): Promise<void> {
  if (changes.length > 0) await settle(tx, await setFlags(tx, folderId, changes));
}

/** Takes over the provider's flags alone. @returns whose they are: recompute those messages */
export async function setFlags(
  tx: Tx,
  folderId: string,
  changes: readonly UidFlags[],
): Promise<{ message_id: string }[]> {
  return tx.query<{ message_id: string }>(
    `UPDATE message_uids place SET flags = fresh.flags::text[]
     FROM unnest($3::bigint[], $4::text[]) AS fresh(uid, flags)
     WHERE place.uid = fresh.uid AND place.ctid = ANY(ARRAY(
       SELECT held.ctid FROM unnest($3::bigint[]) AS wanted(uid), LATERAL (
         SELECT ctid FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid = wanted.uid OFFSET 0
       ) AS held))
     RETURNING place.message_id`,
    [tx.accountId, folderId, changes.map((change) => change.uid), changes.map((change) => arrayLiteral(change.flags))],
  );
}

/** Unties messages from uids that are gone. Those without a place left become orphans. */
export async function dropUids(tx: Tx, folderId: string, uids: readonly number[]): Promise<void> {
  if (uids.length === 0) return;
  const rows = await tx.query<{ message_id: string }>(
    countedOut('DELETE FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid = ANY($3::bigint[])'),
    [tx.accountId, folderId, uids],
  );
  await settle(tx, rows);
}

/** More than any uid. */
const ASIDE = 10_000_000_000;

/**
 * The folder was renumbered: every uid is void, and until the messages are found again under their new ones they lie
 * where they lay. Void uids are below zero, each generation below the one before.
 */
export async function voidUids(tx: Tx, folderId: string): Promise<void> {
  await tx.query('UPDATE message_uids SET uid = uid - $3::bigint WHERE account_id = $1 AND folder_id = $2', [
    tx.accountId,
    folderId,
    ASIDE,
  ]);
  await tx.query('UPDATE folder_syncs SET synced = 0 WHERE account_id = $1 AND folder_id = $2', [
    tx.accountId,
    folderId,
  ]);
}

/** The renumbered folder has been read to its end. @returns whether void uids were left */
export async function dropVoidUids(tx: Tx, folderId: string): Promise<boolean> {
  const rows = await tx.query<{ message_id: string }>(
    'DELETE FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid < 0 RETURNING message_id',
    [tx.accountId, folderId],
  );
  await settle(tx, rows);
  return rows.length > 0;
}

/** Unties every message of a folder that is gone. */
export async function dropAllUids(tx: Tx, folderId: string): Promise<void> {
  const rows = await tx.query<{ message_id: string }>(
    countedOut('DELETE FROM message_uids WHERE account_id = $1 AND folder_id = $2'),
    [tx.accountId, folderId],
  );
  await settle(tx, rows);
}

/** The DELETE, with the folder's `synced` following it; gives the messages that were untied. */
function countedOut(statement: string): string {
  return `WITH gone AS (${statement} RETURNING message_id, uid), counted AS (
      UPDATE folder_syncs SET synced = synced - (SELECT count(*) FROM gone WHERE uid > 0)
      WHERE account_id = $1 AND folder_id = $2
    )
    SELECT message_id FROM gone`;
}

/** A folder's role decides what is sent and what is a draft. */
export async function refreshFolder(tx: Tx, folderId: string): Promise<void> {
  const rows = await tx.query<{ message_id: string }>(
    'SELECT message_id FROM message_uids WHERE account_id = $1 AND folder_id = $2',
    [tx.accountId, folderId],
  );
  await settle(tx, rows);
}

async function settle(tx: Tx, rows: readonly { message_id: string }[]): Promise<void> {
  const touched = await touchMessages(tx, [...new Set(rows.map((row) => row.message_id))]);
  await touchThreads(tx, touched);
}

const ORPHANS_AT_A_TIME = 500;

interface OrphanRow {
  readonly id: string;
  readonly thread_id: string;
  readonly message_id_header: string | null;
  readonly draft: boolean;
}

/**
 * Deletes messages that have had no place since before `before`. Call it only when every folder has been read to its
 * end since then: a message that merely moved has been found again by that time.
 * @returns how many were deleted: some at a time, so call again until there are none
 */
export async function deleteOrphans(tx: Tx, before: Date): Promise<number> {
  await saveAnew(tx, before);
  const orphans = await tx.query<OrphanRow>(
    `SELECT id, thread_id, message_id_header, draft FROM messages
     WHERE account_id = $1 AND orphaned_at < $2 AND NOT ${isUnsaved('$1', 'messages.id')}
       AND NOT ${onItsWay('$1', 'messages.id')} ORDER BY orphaned_at LIMIT $3`,
    [tx.accountId, before, ORPHANS_AT_A_TIME],
  );
  if (orphans.length === 0) return 0;
  const ids = orphans.map((orphan) => orphan.id);
  await tx.query('DELETE FROM message_bodies WHERE account_id = $1 AND message_id = ANY($2)', [tx.accountId, ids]);
  const files = await tx.query<{ id: string; disposition: string }>(
    'DELETE FROM files WHERE account_id = $1 AND message_id = ANY($2) RETURNING id, disposition',
    [tx.accountId, ids],
  );
  for (const { id, disposition } of files) if (disposition !== 'inline') tx.changes.record('delete', 'file', id);
  await tx.query('DELETE FROM messages WHERE account_id = $1 AND id = ANY($2)', [tx.accountId, ids]);
  for (const orphan of orphans) tx.changes.record('delete', orphan.draft ? 'draft' : 'message', orphan.id);
  await touchThreads(tx, [...new Set(orphans.map((orphan) => orphan.thread_id))]);
  const answered = orphans.filter((orphan) => !orphan.draft);
  await touchAnsweringDrafts(
    tx,
    answered.map((gone) => ({ threadId: gone.thread_id, messageIdHeader: gone.message_id_header })),
  );
  return orphans.length;
}

/** Drafts on their way out whose copy somebody deleted elsewhere: who counts on them is to see, and keep, them. */
async function saveAnew(tx: Tx, before: Date): Promise<void> {
  const drafts = await tx.query<{ id: string; version: number }>(
    `SELECT id, version FROM messages WHERE account_id = $1 AND orphaned_at < $2 AND draft AND made_here
       AND ${onItsWay('$1', 'messages.id')} AND NOT ${isUnsaved('$1', 'messages.id')} LIMIT $3`,
    [tx.accountId, before, ORPHANS_AT_A_TIME],
  );
  const actions = drafts.map(
    ({ id, version }) => ({ kind: 'draft.save', objectId: id, details: { version } }) as const,
  );
  await queueActions(tx, actions);
}
