import type { Tx } from '#libs/changes/account-writer.js';

/** A message as a draft may name it. */
export interface Answerable {
  readonly threadId: string;
  readonly messageIdHeader: string | null;
}

/**
 * Drafts show which message they answer, so they look different when it comes or goes. Call it when the rows of the
 * threads are as they are to be.
 */
export async function touchAnsweringDrafts(tx: Tx, messages: readonly Answerable[]): Promise<void> {
  const named = messages.filter(({ messageIdHeader }) => messageIdHeader !== null);
  if (named.length === 0) return;
  const drafts = await tx.query<{ id: string }>(
    `SELECT draft.id FROM thread_categories listed CROSS JOIN LATERAL (
       SELECT id, draft, in_reply_to FROM messages WHERE account_id = $1 AND thread_id = listed.thread_id OFFSET 0
     ) AS draft
     WHERE listed.account_id = $1 AND listed.category = 'drafts' AND listed.thread_id = ANY($2::text[])
       AND draft.draft AND draft.in_reply_to = ANY($3::text[])`,
    [
      tx.accountId,
      [...new Set(named.map(({ threadId }) => threadId))],
      [...new Set(named.map(({ messageIdHeader }) => messageIdHeader))],
    ],
  );
  for (const { id } of drafts) tx.changes.record('modify', 'draft', id);
}
