import { arrayLiteral } from '#libs/database/array-literal.js';
import { textArray } from '#libs/database/text-array.js';

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
  /** All messages of threads that are not stored yet, by thread. */
  readonly begun?: ReadonlyMap<string, readonly ThreadMessage[]>;
  /** Threads that just got new unread mail (not old mail read late). */
  readonly unseen?: ReadonlySet<string>;
  /** Threads that somebody has just been shown. */
  readonly seen?: ReadonlySet<string>;
  /** Takes the answer of the last statement, instead of waiting for it, when it is known: all of the threads are begun. */
  readonly unawaited?: (answer: Promise<unknown>) => void;
}

/**
 * Makes thread rows, and the thread_categories and thread_participants rows beside them, equal what their messages say.
 * Call it inside the transaction that changed the messages, once, with every thread touched. `version` grows with every
 * visible change.
 */
export async function refreshThreads(
  tx: Queryable,
  accountId: string,
  threadIds: readonly string[],
  options: RefreshOptions = {},
): Promise<RefreshedThreads> {
  if (threadIds.length === 0) return { created: [], modified: [], deleted: [] };
  const stored = threadIds.filter((id) => !options.begun?.has(id));
  const [messages, kept] = await Promise.all([messagesByThread(tx, accountId, stored), keptOf(tx, accountId, stored)]);
  const deleted = await deleteEmpty(
    tx,
    accountId,
    stored.filter((id) => !messages.has(id)),
  );
  for (const [id, list] of options.begun ?? []) messages.set(id, list.toSorted(oldestFirst));
  const summaries = new Map<string, ThreadSummary & { unseen: boolean }>();
  for (const [threadId, list] of messages) {
    const unread = list.some((message) => message.unread);
    const { unseen: before = false, tagIds = [] } = kept.get(threadId) ?? {};
    const unseen = unread && !options.seen?.has(threadId) && (before || options.unseen?.has(threadId) === true);
    const summary = summarizeThread(accountId, threadId, unseen, list);
    const categories = tagIds.length > 0 ? [...summary.categories, ...tagIds].toSorted() : summary.categories;
    summaries.set(threadId, { ...summary, categories, unseen });
  }
  const saved = save(tx, accountId, summaries, options.subjectKeys ?? new Map<string, string>());
  if (!options.unawaited || stored.length > 0) return { ...(await saved), deleted };
  options.unawaited(saved);
  return { created: threadIds, modified: [], deleted };
}

/** As the database orders them; ids are equal-length words of one alphabet. */
function oldestFirst(a: ThreadMessage, b: ThreadMessage): number {
  return a.receivedAt.getTime() - b.receivedAt.getTime() || (a.id < b.id ? -1 : 1);
}

async function messagesByThread(
  tx: Queryable,
  accountId: string,
  threadIds: readonly string[],
): Promise<Map<string, ThreadMessage[]>> {
  if (threadIds.length === 0) return new Map();
  const rows = await tx.query<ThreadMessage & { threadId: string }>(
    `SELECT wanted.id AS "threadId", message.* FROM unnest($2::text[]) AS wanted(id) CROSS JOIN LATERAL (
       SELECT id, subject, snippet, "from", "to", cc, bcc, received_at AS "receivedAt", unread, starred, draft, sent,
              has_attachments AS "hasAttachments", category_ids AS "categoryIds", emails, email_fields AS "emailFields"
       FROM messages WHERE account_id = $1 AND thread_id = wanted.id ORDER BY received_at, id
     ) AS message`,
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

/** What of a thread does not come from its messages. */
interface Kept {
  readonly unseen: boolean;
  readonly tagIds: readonly string[];
}

async function keptOf(tx: Queryable, accountId: string, threadIds: readonly string[]): Promise<Map<string, Kept>> {
  if (threadIds.length === 0) return new Map();
  const rows = await tx.query<Kept & { id: string }>(
    `SELECT thread.* FROM unnest($2::text[]) AS wanted(id), LATERAL (
       SELECT id, unseen, tag_ids AS "tagIds" FROM threads WHERE account_id = $1 AND id = wanted.id OFFSET 0
     ) AS thread WHERE thread.unseen OR thread."tagIds" <> '{}'`,
    [accountId, threadIds],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function deleteEmpty(tx: Queryable, accountId: string, threadIds: readonly string[]): Promise<string[]> {
  if (threadIds.length === 0) return [];
  const rows = await tx.query<{ id: string }>(
    `WITH gone AS (
       DELETE FROM threads WHERE account_id = $1 AND id = ANY($2) RETURNING id, categories, emails, last_message_at
     ), unlisted AS (
       DELETE FROM thread_categories listed USING gone
       WHERE listed.account_id = $1 AND listed.category = ANY(gone.categories)
         AND listed.last_message_at = gone.last_message_at AND listed.thread_id = gone.id
     ), strangers AS (
       DELETE FROM thread_participants person USING gone
       WHERE person.account_id = $1 AND person.email = ANY(gone.emails)
         AND person.last_message_at = gone.last_message_at AND person.thread_id = gone.id
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
    textArray(entries.map(([id]) => id)),
    textArray(entries.map(([, thread]) => thread.subject)),
    entries.map(([id]) => subjectKeys.get(id) ?? '0'),
    entries.map(([, thread]) => thread.firstMessageAt),
    entries.map(([, thread]) => thread.lastMessageAt),
    entries.map(([, thread]) => thread.messageCount),
    entries.map(([, thread]) => thread.unreadCount),
    entries.map(([, thread]) => thread.starredCount),
    entries.map(([, thread]) => thread.unseen),
    // Ids and state names are plain base-36 words, so the array literal needs no quoting.
    textArray(entries.map(([, thread]) => `{${thread.categories.join(',')}}`)),
    textArray(entries.map(([, thread]) => arrayLiteral([...thread.emails.keys()]))),
    textArray(entries.map(([, thread]) => `{${[...thread.emails.values()].join(',')}}`)),
    textArray(entries.map(([, thread]) => thread.rendered)),
  ]);
  const created = rows.filter((row) => row.created).map((row) => row.id);
  return { created, modified: rows.filter((row) => !row.created).map((row) => row.id) };
}

/** Deletes what stands beside a thread under its former date, or for an entry of its former array that is in it no more. */
const formerRows = (table: string, column: string, array: string): string => `
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
      SELECT former.ctid FROM old JOIN fresh USING (id), unnest(old.${array}) AS had(entry), LATERAL (
        SELECT ctid FROM ${table}
        WHERE account_id = $1 AND ${column} = had.entry AND last_message_at = old.last_message_at AND thread_id = old.id
        OFFSET 0
      ) AS former
      WHERE fresh.last_at <> old.last_message_at OR had.entry <> ALL(fresh.${array})
    ))`;

const SAVE = `
  WITH fresh AS (
    SELECT id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen,
           categories::text[] AS categories, emails::text[] AS emails, fields::smallint[] AS fields, rendered
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::int[],
                $9::int[], $10::bool[], $11::text[], $12::text[], $13::text[], $14::text[])
      AS row(id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen, categories, emails, fields,
             rendered)
  ), old AS (
    SELECT thread.* FROM unnest($2::text[]) AS wanted(id) CROSS JOIN LATERAL (
      SELECT id, categories, emails, email_fields, last_message_at FROM threads
      WHERE account_id = $1 AND id = wanted.id OFFSET 0
    ) AS thread
  ), saved AS (
    INSERT INTO threads AS thread (account_id, id, subject, subject_key, first_message_at, last_message_at,
      message_count, unread_count, starred_count, unseen, categories, emails, email_fields, rendered)
    SELECT $1, id, subject, subject_key, first_at, last_at, messages, unread, starred, unseen, categories, emails,
      fields, rendered
    FROM fresh
    ON CONFLICT (account_id, id) DO UPDATE SET
      subject = excluded.subject, first_message_at = excluded.first_message_at,
      last_message_at = excluded.last_message_at, message_count = excluded.message_count,
      unread_count = excluded.unread_count, starred_count = excluded.starred_count, unseen = excluded.unseen,
      categories = excluded.categories, emails = excluded.emails, email_fields = excluded.email_fields,
      rendered = excluded.rendered, version = thread.version + 1
    WHERE (thread.rendered, thread.categories, thread.emails, thread.email_fields)
      IS DISTINCT FROM (excluded.rendered, excluded.categories, excluded.emails, excluded.email_fields)
    RETURNING id, xmax = 0 AS created
  ), unlisted AS (${formerRows('thread_categories', 'category', 'categories')}
  ), listed AS (
    INSERT INTO thread_categories (account_id, category, last_message_at, thread_id)
    SELECT $1, category, fresh.last_at, fresh.id
    FROM fresh LEFT JOIN old USING (id), unnest(fresh.categories) AS category
    WHERE (old.last_message_at, old.categories) IS DISTINCT FROM (fresh.last_at, fresh.categories)
    ON CONFLICT DO NOTHING
  ), strangers AS (${formerRows('thread_participants', 'email', 'emails')}
  ), people AS (
    INSERT INTO thread_participants AS person (account_id, email, last_message_at, thread_id, fields)
    SELECT $1, email, fresh.last_at, fresh.id, field
    FROM fresh LEFT JOIN old USING (id), unnest(fresh.emails, fresh.fields) AS row(email, field)
    WHERE (old.last_message_at, old.emails, old.email_fields) IS DISTINCT FROM (fresh.last_at, fresh.emails, fresh.fields)
    ON CONFLICT (account_id, email, last_message_at, thread_id)
    DO UPDATE SET fields = excluded.fields WHERE person.fields <> excluded.fields
  )
  SELECT id, created FROM saved`;
