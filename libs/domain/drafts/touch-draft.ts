import type { Tx } from '#libs/changes/account-writer.js';

/** Tells that a draft looks different; nothing when it is none, or not any more. */
export async function touchDraft(tx: Tx, id: string): Promise<void> {
  const drafts = await tx.query('SELECT FROM messages WHERE account_id = $1 AND id = $2 AND draft', [tx.accountId, id]);
  if (drafts.length > 0) tx.changes.record('modify', 'draft', id);
}
