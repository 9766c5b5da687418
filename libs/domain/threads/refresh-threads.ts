import { summarizeThread, type ThreadMessage, type ThreadSummary } from './summarize-thread.js';

/** Tx of the write door, or anything else that runs SQL inside one transaction. */
export interface Queryable {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface RefreshedThreads {
  readonly created: readonly string[];
  /** Only those that look different now. */
  readonly modified: readonly string[];
  /** Those without a message left. */
  readonly deleted: readonly string[];
}

export interface RefreshOptions {
  /** `threads.subject_key` of threads that may be new, by id; 0 for the others. */
  readonly subjectKeys?: ReadonlyMap<string, string>;
  /** Threads that just got new unread mail (not old mail read late). */
  readonly unseen?: ReadonlySet<string>;
}

/**
 * Makes thread rows, and the thread_categories rows beside them, equal what their messages say. Call it inside the
 * transaction that changed the messages, once, with every thread touched. `version` grows with every visible change.
 */
export async function refreshThreads(
  tx: Queryable,
  accountId: string,
  threadIds: readonly string[],
  options: RefreshOptions = {},
): Promise<RefreshedThreads> {
  if (threadIds.length === 0) return { created: [], modified: [], deleted: [] };
  const messages = await messagesByThread(tx, accountId, threadIds);
  const seen = await unseenBefore(tx, accountId, threadIds);
  const summaries = new Map<string, ThreadSummary & { unseen: boolean }>();
  for (const [threadId, list] of messages) {
    const unread = list.some((message) => message.unread);
    const unseen = unread && (seen.has(threadId) || options.unseen?.has(threadId) === true);
    summaries.set(threadId, { ...summarizeThread(accountId, threadId, unseen, list), unseen });
  }
  const deleted = await deleteEmpty(
    tx,
    accountId,
    threadIds.filter((id) => !messages.has(id)),
  );
  return { ...(await save(tx, accountId, summaries, options.subjectKeys ?? new Map<string, string>())), deleted };
}

async function messagesByThread(
  tx: Queryable,
  accountId: string,
  threadIds: readonly string[],
): Promise<Map<string, ThreadMessage[]>> {
  const rows = await tx.query<ThreadMessage & { threadId: string }>(
    `SELECT thread_id AS "threadId", id, subject, snippet, "from", "to", cc, bcc, received_at AS "receivedAt",
            unread, starred, draft, sent, has_attachments AS "hasAttachments", category_ids AS "categoryIds"
     FROM messages WHERE account_id = $1 AND thread_id = ANY($2) ORDER BY received_at, id`,
    [accountId, threadIds],
  );
  const byThread = new Map<string, ThreadMessage[]>();
  for (const row of rows) {
    const list = byThread.get(row.threadId);
    if (list) list.push(row);
    else byThread.set(row.threadId, [row]);
  }
  return byThread;
}

async function unseenBefore(tx: Queryable, accountId: string, threadIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    'SELECT id FROM threads WHERE account_id = $1 AND id = ANY($2) AND unseen',
    [accountId, threadIds],
  );
  return new Set(rows.map((row) => row.id));
}

async function deleteEmpty(tx: Queryable, accountId: string, threadIds: readonly string[]): Promise<string[]> {
  if (threadIds.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `WITH gone AS (
       DELETE FROM threads WHERE account_id = $1 AND id = ANY($2) RETURNING id, categories, last_message_at
     ), unlisted AS (
       DELETE FROM thread_categories listed USING gone
       WHERE listed.account_id = $1 AND listed.category = ANY(gone.categories)
         AND listed.last_message_at = gone.last_message_at AND listed.thread_id = gone.id
     )
     SELECT id FROM gone`,
    [accountId, threadIds],
  );
  return rows.map((row) => row.id);
}

async function save(
  tx: Queryable,
  accountId: string,
  summaries: ReadonlyMap<string, ThreadSummary & { unseen: boolean }>,
  subjectKeys: ReadonlyMap<string, string>,
): Promise<{ created: string[]; modified: string[] }> {
  if (summaries.size === 0) return { created: [], modified: [] };
  const entries = [...summaries];
  const rows = await tx.query<{ id: string; created: boolean }>(SAVE, [
    accountId,
    entries.map(([id]) => id),
    entries.map(([, thread]) => thread.subject),
    entries.map(([id]) => subjectKeys.get(id) ?? '0'),
    entries.map(([, thread]) => thread.firstMessageAt),
    entries.map(([, thread]) => thread.lastMessageAt),
    entries.map(([, thread]) => thread.messageCount),
    entries.map(([, thread]) => thread.unreadCount),
    entries.map(([, thread]) => thread.starredCount),
    entries.map(([, thread]) => thread.unseen),
    // Ids and state names are plain base-36 words, so the array literal needs no quoting.
    entries.map(([, thread]) => `{${thread.categories.join(',')}}`),
    entries.map(([, thread]) => thread.rendered),
  ]);
  const created = rows.filter((row) => row.created).map((row) => row.id);
  return { created, modified: rows.filter((row) => !row.created).map((row) => row.id) };
}

const SAVE = `
  WITH fresh AS (
    SELECT id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen,
           categories::text[] AS categories, rendered
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::int[],
                $9::int[], $10::bool[], $11::text[], $12::text[])
      AS row(id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen, categories, rendered)
  ), old AS (
    SELECT id, categories, last_message_at FROM threads WHERE account_id = $1 AND id = ANY($2)
  ), saved AS (
    INSERT INTO threads AS thread (account_id, id, subject, subject_key, first_message_at, last_message_at,
      message_count, unread_count, starred_count, unseen, categories, rendered)
    SELECT $1, id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen, categories, rendered
    FROM fresh
    ON CONFLICT (account_id, id) DO UPDATE SET
      subject = excluded.subject, first_message_at = excluded.first_message_at,
      last_message_at = excluded.last_message_at, message_count = excluded.message_count,
      unread_count = excluded.unread_count, starred_count = excluded.starred_count, unseen = excluded.unseen,
      categories = excluded.categories, rendered = excluded.rendered, version = thread.version + 1
    WHERE thread.rendered <> excluded.rendered OR thread.categories <> excluded.categories
    RETURNING id, xmax = 0 AS created
  ), unlisted AS (
    DELETE FROM thread_categories listed USING old, fresh
    WHERE fresh.id = old.id AND listed.account_id = $1 AND listed.category = ANY(old.categories)
      AND listed.last_message_at = old.last_message_at AND listed.thread_id = old.id
      AND (fresh.last_at <> old.last_message_at OR listed.category <> ALL(fresh.categories))
  ), listed AS (
    INSERT INTO thread_categories (account_id, category, last_message_at, thread_id)
    SELECT $1, category, fresh.last_at, fresh.id FROM fresh, unnest(fresh.categories) AS category
    ON CONFLICT DO NOTHING
  )
  SELECT id, created FROM saved`;
