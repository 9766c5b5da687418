import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import type { Participant } from '#libs/common/participants.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { jsonArray, textArray } from '#libs/database/text-array.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

/** A message about to be stored for the first time. */
export interface NewMessage {
  readonly id: string;
  readonly threadId: string;
  readonly identity: string;
  readonly providerThreadId: string | null;
  readonly receivedAt: Date;
  readonly size: number;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly draft: boolean;
  readonly sent: boolean;
  readonly folderId: string;
  readonly emails: ReadonlyMap<string, number>;
  readonly parsed: ParsedMessage;
}

/** A uid of a folder, and the message that lies there. */
export interface NewUid {
  readonly read: { readonly uid: number; readonly flags: readonly string[] | null };
  readonly messageId: string;
  readonly receivedAt: Date;
}

const json = (people: readonly Participant[]): string => JSON.stringify(people);

/** Inserts messages with their bodies in one statement, whatever their number. */
export async function insertMessages(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(INSERT_MESSAGES, [
    tx.accountId,
    textArray(messages.map((message) => message.id)),
    textArray(messages.map((message) => message.threadId)),
    messages.map((message) => message.identity),
    textArray(messages.map((message) => message.parsed.headers.messageIdHeader)),
    textArray(messages.map((message) => message.parsed.headers.inReplyTo)),
    textArray(messages.map((message) => arrayLiteral(message.parsed.headers.references))),
    textArray(messages.map((message) => message.providerThreadId)),
    textArray(messages.map((message) => message.parsed.headers.subject)),
    textArray(messages.map((message) => message.parsed.snippet)),
    jsonArray(messages.map((message) => json(message.parsed.headers.from))),
    jsonArray(messages.map((message) => json(message.parsed.headers.to))),
    jsonArray(messages.map((message) => json(message.parsed.headers.cc))),
    jsonArray(messages.map((message) => json(message.parsed.headers.bcc))),
    jsonArray(messages.map((message) => json(message.parsed.headers.replyTo))),
    textArray(messages.map((message) => arrayLiteral([...message.emails.keys()]))),
    textArray(messages.map((message) => `{${[...message.emails.values()].join(',')}}`)),
    messages.map((message) => message.receivedAt),
    messages.map((message) => message.size),
    messages.map((message) => message.unread),
    messages.map((message) => message.starred),
    messages.map((message) => message.draft),
    messages.map((message) => message.sent),
    messages.map(hasAttachments),
    textArray(messages.map((message) => message.folderId)),
    textArray(messages.map((message) => message.parsed.state)),
    textArray(messages.map((message) => message.parsed.problem)),
    textArray(messages.map((message) => message.parsed.body)),
  ]);
}

export const hasAttachments = ({ parsed }: NewMessage): boolean =>
  parsed.files.some((file) => file.disposition === 'attachment');

const INSERT_MESSAGES = `
  WITH fresh AS (
    SELECT * FROM unnest(
      $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::json[], $12::json[], $13::json[], $14::json[], $15::json[], $16::text[], $17::text[], $18::timestamptz[],
      $19::int[], $20::bool[], $21::bool[], $22::bool[], $23::bool[], $24::bool[], $25::text[], $26::text[], $27::text[],
      $28::text[])
    AS row(id, thread_id, identity, message_id_header, in_reply_to, refs, provider_thread_id, subject, snippet,
      from_, to_, cc, bcc, reply_to, emails, email_fields, received_at, size,
      unread, starred, draft, sent, has_attachments, folder_id, parse_state, parse_problem, body)
  ), bodies AS (
    INSERT INTO message_bodies (account_id, message_id, body) SELECT $1, id, body FROM fresh
  )
  INSERT INTO messages (account_id, id, thread_id, identity, message_id_header, in_reply_to, "references",
    provider_thread_id, subject, snippet, "from", "to", cc, bcc, reply_to, emails, email_fields, received_at, size,
    unread, starred, draft, sent, has_attachments, category_ids, parse_state, parse_problem)
  SELECT $1, id, thread_id, identity, message_id_header, in_reply_to, refs::text[], provider_thread_id, subject, snippet,
    from_, to_, cc, bcc, reply_to, emails::text[], email_fields::smallint[], received_at, size,
    unread, starred, draft, sent, has_attachments, ARRAY[folder_id], parse_state, parse_problem
  FROM fresh`;

/** A message as far as its files go. */
interface MessageWithFiles {
  readonly id: string;
  readonly parsed: Pick<ParsedMessage, 'files'>;
}

/** Inserts the messages' files, and records those that the API lists. */
export async function insertFiles(tx: Tx, messages: readonly MessageWithFiles[]): Promise<void> {
  const rows = messages.flatMap((message) =>
    message.parsed.files.map((file) => ({ id: newId(), messageId: message.id, file })),
  );
  if (rows.length === 0) return;
  for (const { id, file } of rows) if (file.disposition !== 'inline') tx.changes.record('create', 'file', id);
  await tx.query(
    `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, content_id, disposition)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[])`,
    [
      tx.accountId,
      rows.map((row) => row.id),
      rows.map((row) => row.messageId),
      rows.map((row) => row.file.part),
      rows.map((row) => row.file.filename),
      rows.map((row) => row.file.contentType),
      rows.map((row) => row.file.size),
      rows.map((row) => row.file.contentId),
      rows.map((row) => row.file.disposition),
    ],
  );
}

/** Ties messages to uids. A uid that is already tied stays as it is. */
export async function insertUids(tx: Tx, folderId: string, uids: readonly NewUid[]): Promise<void> {
  if (uids.length === 0) return;
  await tx.query(
    `WITH placed AS (
       INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
       SELECT $1, $2, uid, message_id, flags::text[], received_at
       FROM unnest($3::bigint[], $4::text[], $5::text[], $6::timestamptz[]) AS row(uid, message_id, flags, received_at)
       ON CONFLICT DO NOTHING RETURNING 1
     )
     UPDATE folder_syncs SET synced = synced + (SELECT count(*) FROM placed) WHERE account_id = $1 AND folder_id = $2`,
    [
      tx.accountId,
      folderId,
      uids.map(({ read }) => read.uid),
      textArray(uids.map((row) => row.messageId)),
      textArray(uids.map(({ read }) => arrayLiteral(read.flags ?? []))),
      uids.map((row) => row.receivedAt),
    ],
  );
}
