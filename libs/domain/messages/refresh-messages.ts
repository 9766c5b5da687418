import type { Queryable } from '#libs/domain/threads/refresh-threads.js';

export interface RefreshedMessage {
  readonly id: string;
  readonly threadId: string;
  readonly draft: boolean;
  /** What it was before: a draft and a message are different objects to whoever reads the change log. */
  readonly wasDraft: boolean;
}

/** For each message, the last of what its pending actions wish of each field. */
const last = (field: string): string =>
  `(array_agg(${field} ORDER BY seq DESC) FILTER (WHERE ${field} IS NOT NULL))[1] AS ${field}`;
const WISHES = `
  SELECT object_id, ${last('unread')}, ${last('starred')}, ${last('folder_id')}
  FROM actions WHERE account_id = $1 AND state = 'pending' AND object_id = ANY($2) GROUP BY object_id`;

/** The rows of the messages, found one by one: joined, the planner may read every message of the account (ADR 0008). */
const THESE = `messages.ctid = ANY(ARRAY(
    SELECT held.ctid FROM unnest($2::text[]) AS wanted(id), LATERAL (
      SELECT ctid FROM messages WHERE account_id = $1 AND id = wanted.id OFFSET 0
    ) AS held))`;

/**
 * Makes the state of messages equal what their uid rows say: read as soon as one copy is, starred as soon as one is,
 * in the folders its uids are in. What pending actions wish is laid over it. A message without uids becomes an orphan and otherwise stays as it was: a move made
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
       SELECT id, place.found IS NOT NULL AS placed
       FROM unnest($2::text[]) AS id LEFT JOIN LATERAL (
         SELECT true AS found FROM message_uids WHERE account_id = $1 AND message_id = id LIMIT 1
       ) AS place ON true
     ) AS touched
     WHERE ${THESE} AND messages.id = touched.id AND (orphaned_at IS NULL) <> placed`,
    [accountId, messageIds],
  );
  return tx.query<RefreshedMessage>(
    `UPDATE messages SET unread = fresh.unread, starred = fresh.starred, draft = fresh.draft, sent = fresh.sent,
       category_ids = fresh.category_ids
     FROM (
       SELECT place.message_id AS id,
              coalesce(wish.unread, NOT bool_or('\\Seen' = ANY(place.flags))) AS unread,
              coalesce(wish.starred, bool_or('\\Flagged' = ANY(place.flags))) AS starred,
              bool_or(folder.role IS NOT DISTINCT FROM 'drafts') AS draft,
              bool_or(folder.role IS NOT DISTINCT FROM 'sent') AS sent,
              array_agg(DISTINCT folder.id ORDER BY folder.id) AS category_ids,
              (SELECT before.draft FROM messages before
               WHERE before.account_id = $1 AND before.id = place.message_id) AS was_draft
       FROM unnest($2::text[]) AS wanted(id) CROSS JOIN LATERAL (
         SELECT message_id, folder_id, flags FROM message_uids
         WHERE account_id = $1 AND message_id = wanted.id OFFSET 0
       ) AS place
       LEFT JOIN (${WISHES}) AS wish ON wish.object_id = place.message_id
       LEFT JOIN categories goal ON goal.account_id = $1 AND goal.id = wish.folder_id
       JOIN categories folder ON folder.account_id = $1 AND folder.id = coalesce(goal.id, place.folder_id)
       GROUP BY place.message_id, wish.unread, wish.starred
     ) AS fresh
     WHERE ${THESE} AND messages.id = fresh.id
       AND (messages.unread, messages.starred, messages.draft, messages.sent, messages.category_ids)
         IS DISTINCT FROM (fresh.unread, fresh.starred, fresh.draft, fresh.sent, fresh.category_ids)
     RETURNING messages.id, messages.thread_id AS "threadId", messages.draft, fresh.was_draft AS "wasDraft"`,
    [accountId, messageIds],
  );
}
