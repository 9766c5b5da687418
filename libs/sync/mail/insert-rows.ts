import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { canonicalEmail, type Participant } from '#libs/common/participants.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { jsonArray, textArray } from '#libs/database/text-array.js';
import { ParticipantField } from '#libs/database/message.entity.js';
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

export interface NewUid {
  readonly folderId: string;
  readonly uid: number;
  readonly messageId: string;
  readonly flags: readonly string[];
  readonly receivedAt: Date;
}

/** Canonical addresses of a message and in which fields each stands (ParticipantField bits). */
export function emailsOf(headers: ParsedMessage['headers']): Map<string, number> {
  const emails = new Map<string, number>();
  for (const field of ['from', 'to', 'cc', 'bcc', 'replyTo'] as const) {
    for (const { email } of headers[field]) {
      const key = canonicalEmail(email);
      // An index entry holds 2,700 bytes at most; no address anybody filters by is longer than this.
      if (key !== '' && key.length <= 320) emails.set(key, (emails.get(key) ?? 0) | ParticipantField[field]);
    }
  }
  return emails;
}

const json = (people: readonly Participant[]): string => JSON.stringify(people);

/** Inserts messages with everything that hangs on them, a handful of statements whatever their number. */
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
    messages.map((message) => message.parsed.files.some((file) => file.disposition === 'attachment')),
    textArray(messages.map((message) => message.folderId)),
    textArray(messages.map((message) => message.parsed.state)),
    textArray(messages.map((message) => message.parsed.problem)),
    textArray(messages.map((message) => message.parsed.body)),
  ]);
  await insertFiles(tx, messages);
}

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

async function insertFiles(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  const rows = messages.flatMap((message) =>
    message.parsed.files.map((file) => ({ id: newId(), messageId: message.id, file })),
  );
  if (rows.length === 0) return;
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
  for (const { id, file } of rows) if (file.disposition !== 'inline') tx.changes.record('create', 'file', id);
}

/** Ties messages to uids. A uid that is already tied stays as it is. */
export async function insertUids(tx: Tx, uids: readonly NewUid[]): Promise<void> {
  if (uids.length === 0) return;
  await tx.query(
    `INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
     SELECT $1, folder_id, uid, message_id, flags::text[], received_at
     FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
       AS row(folder_id, uid, message_id, flags, received_at)
     ON CONFLICT DO NOTHING`,
    [
      tx.accountId,
      uids.map((row) => row.folderId),
      uids.map((row) => row.uid),
      uids.map((row) => row.messageId),
      uids.map((row) => arrayLiteral(row.flags)),
      uids.map((row) => row.receivedAt),
    ],
  );
}
