import type { Tx } from '#libs/changes/account-writer.js';
import { hash64 } from '#libs/common/hash.js';
import { kindOf } from '#libs/domain/messages/touch-mail.js';
import { baseSubject } from '#libs/mime/base-subject.js';

import {
  assignThreads,
  keyed,
  type KeyedMessage,
  type SubjectCandidate,
  SUBJECT_WINDOW_MS,
  type ThreadAssignment,
} from './assign-threads.js';

/** A reference that is known, and the thread it belongs to. */
export interface StoredRef {
  readonly ref: string;
  readonly thread_id: string;
  readonly message_count: number;
}

/** What is stored about the references and subjects of a batch. */
export async function storedRefs(tx: Tx, batch: readonly KeyedMessage[]): Promise<StoredRef[]> {
  const wanted = new Set(batch.flatMap((message) => [...message.names, message.looseMarker]));
  // A reference to a thread that is gone is as good as none; it is overwritten when the batch is saved.
  return tx.query<StoredRef>(
    `SELECT wanted.ref, link.thread_id, thread.message_count FROM unnest($2::bigint[]) AS wanted(ref), LATERAL (
       SELECT thread_id FROM thread_refs WHERE account_id = $1 AND ref = wanted.ref OFFSET 0
     ) AS link, LATERAL (
       SELECT message_count FROM threads WHERE account_id = $1 AND id = link.thread_id OFFSET 0
     ) AS thread`,
    [tx.accountId, [...wanted]],
  );
}

/** Decides on threads. @param rows what `storedRefs` said about these messages, and perhaps about others */
export async function assignStoredThreads(
  tx: Tx,
  owner: string,
  batch: readonly KeyedMessage[],
  rows: readonly StoredRef[],
): Promise<ThreadAssignment> {
  const markers = new Map(batch.map((message) => [message.looseMarker, message.subjectKey]));
  const looseKeys = rows.map((row) => markers.get(row.ref)).filter((key) => key !== undefined);
  const asked = new Set([
    ...looseKeys,
    ...batch.filter((message) => message.looseReply).map((message) => message.subjectKey),
  ]);
  asked.delete('0');
  const candidates = await subjectCandidates(tx, [...asked], batch);
  return assignThreads(batch, {
    owner,
    refs: new Map(rows.filter((row) => !markers.has(row.ref)).map((row) => [row.ref, row.thread_id])),
    sizes: new Map([...rows, ...candidates].map((row) => [row.thread_id, row.message_count])),
    candidates: candidates.map((row) => candidateOf(row)),
  });
}

interface CandidateRow {
  readonly thread_id: string;
  readonly subject_key: string;
  readonly message_count: number;
  readonly subject: string;
  readonly emails: string[];
  readonly received_at: Date;
}

async function subjectCandidates(
  tx: Tx,
  subjectKeys: readonly string[],
  batch: readonly KeyedMessage[],
): Promise<CandidateRow[]> {
  if (subjectKeys.length === 0) return [];
  const times = batch.map((message) => message.receivedAt.getTime());
  return tx.query<CandidateRow>(
    `SELECT thread.*, message.subject, message.emails, message.received_at FROM unnest($2::bigint[]) AS wanted(key), LATERAL (
       SELECT id AS thread_id, subject_key, message_count FROM threads
       WHERE account_id = $1 AND subject_key = wanted.key OFFSET 0
     ) AS thread, LATERAL (
       SELECT subject, emails, received_at, "references", in_reply_to FROM messages
       WHERE account_id = $1 AND thread_id = thread.thread_id OFFSET 0
     ) AS message
     WHERE message.received_at BETWEEN $3 AND $4 AND message."references" = '{}' AND message.in_reply_to IS NULL
     ORDER BY message.received_at DESC LIMIT 1000`,
    [
      tx.accountId,
      subjectKeys,
      new Date(Math.min(...times) - SUBJECT_WINDOW_MS),
      new Date(Math.max(...times) + SUBJECT_WINDOW_MS),
    ],
  );
}

function candidateOf(row: CandidateRow): SubjectCandidate {
  return {
    threadId: row.thread_id,
    subjectKey: row.subject_key,
    emails: row.emails,
    receivedAt: row.received_at,
    looseReply: baseSubject(row.subject).isReply,
  };
}

/**
 * Makes a Message-ID that of a thread.
 * @returns the thread that had it before, when a copy of the message came before the message itself
 */
export async function nameThread(tx: Tx, messageIdHeader: string, threadId: string): Promise<string | null> {
  const [row] = await tx.query<{ thread_id: string }>(
    `INSERT INTO thread_refs AS known (account_id, ref, thread_id) VALUES ($1, $2, $3)
     ON CONFLICT (account_id, ref) DO UPDATE SET thread_id = CASE
       WHEN EXISTS (SELECT FROM threads WHERE account_id = $1 AND id = known.thread_id) THEN known.thread_id
       ELSE excluded.thread_id END
     RETURNING thread_id`,
    [tx.accountId, hash64(messageIdHeader), threadId],
  );
  return row && row.thread_id !== threadId ? row.thread_id : null;
}

/** Stores the reference graph and moves the messages of swallowed threads. */
export async function saveAssignment(
  tx: Tx,
  { refs, merges }: Pick<ThreadAssignment, 'refs' | 'merges'>,
): Promise<void> {
  if (merges.size > 0) await mergeThreads(tx, merges);
  if (refs.size === 0) return;
  await tx.query(
    `INSERT INTO thread_refs (account_id, ref, thread_id) SELECT $1, * FROM unnest($2::bigint[], $3::text[])
     ON CONFLICT (account_id, ref) DO UPDATE SET thread_id = excluded.thread_id`,
    [tx.accountId, [...refs.keys()], [...refs.values()]],
  );
}

interface MovedRow {
  readonly id: string;
  readonly draft: boolean;
  readonly thread_id: string;
  readonly message_id_header: string | null;
  readonly in_reply_to: string | null;
  readonly references: string[];
  readonly provider_thread_id: string | null;
  readonly subject: string;
}

/** The tags of swallowed threads go over to those that stay. */
const INHERIT_TAGS = `
  UPDATE threads thread SET tag_ids = inherited.tags
  FROM (
    SELECT survivor, array_agg(DISTINCT tag ORDER BY tag) AS tags FROM (
      SELECT merge.survivor, unnest(source.tag_ids) AS tag
      FROM unnest($2::text[], $3::text[]) AS merge(swallowed, survivor)
      JOIN threads source ON source.account_id = $1 AND source.id IN (merge.swallowed, merge.survivor)
    ) AS worn GROUP BY survivor
  ) AS inherited
  WHERE thread.account_id = $1 AND thread.id = inherited.survivor`;

async function mergeThreads(tx: Tx, merges: ReadonlyMap<string, string>): Promise<void> {
  const swallowed = [...merges.keys()];
  const survivors = [...merges.values()];
  const moved = await tx.query<MovedRow>(
    `UPDATE messages SET thread_id = merge.survivor
     FROM unnest($2::text[], $3::text[]) AS merge(swallowed, survivor)
     WHERE account_id = $1 AND thread_id = merge.swallowed
     RETURNING id, draft, thread_id, message_id_header, in_reply_to, "references", provider_thread_id, subject`,
    [tx.accountId, swallowed, survivors],
  );
  for (const { id, draft } of moved) tx.changes.record('modify', kindOf(draft), id);
  await tx.query(INHERIT_TAGS, [tx.accountId, swallowed, survivors]);
  const links = moved.flatMap((message) => linksOf(message).map((ref) => ({ ref, thread: message.thread_id })));
  await tx.query(
    `INSERT INTO thread_refs AS known (account_id, ref, thread_id)
     SELECT DISTINCT ON (ref) $1, ref, thread_id FROM unnest($2::bigint[], $3::text[]) AS link(ref, thread_id)
     ON CONFLICT (account_id, ref) DO UPDATE SET thread_id = excluded.thread_id WHERE known.thread_id = ANY($4)`,
    [tx.accountId, links.map((link) => link.ref), links.map((link) => link.thread), swallowed],
  );
}

/** Every thread_refs key a stored message may have left. */
function linksOf(row: MovedRow): string[] {
  const { base, isReply } = baseSubject(row.subject);
  const message = keyed({
    id: row.id,
    messageIdHeader: row.message_id_header,
    inReplyTo: row.in_reply_to,
    references: row.references,
    providerThreadId: row.provider_thread_id,
    baseSubject: base,
    hasReplyPrefix: isReply,
    emails: [],
    receivedAt: new Date(0),
  });
  return message.looseReply ? [...message.names, message.looseMarker] : [...message.names];
}
