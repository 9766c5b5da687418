import type { Queryable } from '#libs/domain/threads/refresh-threads.js';

export interface RefreshedMessage {
  readonly id: string;
  readonly threadId: string;
  readonly draft: boolean;
  /** What it was before: a draft and a message are different objects to whoever reads the change log. */
  readonly wasDraft: boolean;
}

/**
 * Makes the state of messages equal what their uid rows say: read as soon as one copy is, starred as soon as one is,
 * in the folders its uids are in. A message without uids becomes an orphan and otherwise stays as it was: a move made
 * by another client is expunge and append, and must look like one change. Returns the messages that look different.
 */
export async function refreshMessages(
  tx: Queryable,
  accountId: string,
  messageIds: readonly string[],
): Promise<RefreshedMessage[]> {
  if (messageIds.length === 0) return [];
  await tx.query(
    `UPDATE messages SET orphaned_at = CASE WHEN placed THEN NULL ELSE now() END
     FROM (
       SELECT id, EXISTS (SELECT FROM message_uids place WHERE place.account_id = $1 AND place.message_id = id) AS placed
       FROM unnest($2::text[]) AS id
     ) AS touched
     WHERE messages.account_id = $1 AND messages.id = touched.id AND (orphaned_at IS NULL) <> placed`,
    [accountId, messageIds],
  );
  return tx.query<RefreshedMessage>(
    `UPDATE messages SET unread = fresh.unread, starred = fresh.starred, draft = fresh.draft, sent = fresh.sent,
       category_ids = fresh.category_ids
     FROM (
       SELECT place.message_id AS id,
              NOT bool_or('\\Seen' = ANY(place.flags)) AS unread,
              bool_or('\\Flagged' = ANY(place.flags)) AS starred,
              bool_or(folder.role IS NOT DISTINCT FROM 'drafts') AS draft,
              bool_or(folder.role IS NOT DISTINCT FROM 'sent') AS sent,
              array_agg(DISTINCT place.folder_id ORDER BY place.folder_id) AS category_ids,
              (SELECT before.draft FROM messages before
               WHERE before.account_id = $1 AND before.id = place.message_id) AS was_draft
       FROM message_uids place
       JOIN categories folder ON folder.account_id = place.account_id AND folder.id = place.folder_id
       WHERE place.account_id = $1 AND place.message_id = ANY($2)
       GROUP BY place.message_id
     ) AS fresh
     WHERE messages.account_id = $1 AND messages.id = fresh.id
       AND (messages.unread, messages.starred, messages.draft, messages.sent, messages.category_ids)
         IS DISTINCT FROM (fresh.unread, fresh.starred, fresh.draft, fresh.sent, fresh.category_ids)
     RETURNING messages.id, messages.thread_id AS "threadId", messages.draft, fresh.was_draft AS "wasDraft"`,
    [accountId, messageIds],
  );
}
