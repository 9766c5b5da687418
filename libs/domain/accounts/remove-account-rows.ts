import type { AccountWriter } from '#libs/changes/account-writer.js';

/**
 * Every table keyed by account, in the order of removal: what opens the account first, what a session needs to go on
 * next, the log last.
 */
const ACCOUNT_TABLES = [
  'access_tokens',
  'auth_codes',
  'grants',
  'actions',
  'sends',
  'backfill_ranges',
  'folder_syncs',
  'poison_uids',
  'thread_categories',
  'threads',
  'thread_refs',
  'message_uids',
  'thread_participants',
  'files',
  'message_bodies',
  'waiting_reports',
  'messages',
  'search_documents',
  'search_accounts',
  'categories',
  'webhook_deliveries',
  'webhook_cursors',
  'changes',
  'account_events',
] as const;

const BATCH = 5000;

/** Deletes in batches, each a transaction of its own, so that no lock is held for long; the account row goes last. */
export async function removeAccountRows(writer: AccountWriter, accountId: string): Promise<void> {
  for (const table of ACCOUNT_TABLES) {
    while ((await removeBatch(writer, accountId, table)) === BATCH);
  }
  await writer.write(accountId, (tx) => tx.query('DELETE FROM accounts WHERE id = $1', [accountId]));
}

function removeBatch(writer: AccountWriter, accountId: string, table: string): Promise<number> {
  return writer.write(accountId, async (tx) => {
    const [removed] = await tx.query<{ count: number }>(
      `WITH gone AS (
         DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE account_id = $1 LIMIT ${BATCH}))
         RETURNING 1
       ) SELECT count(*)::int AS count FROM gone`,
      [accountId],
    );
    return removed?.count ?? 0;
  });
}
