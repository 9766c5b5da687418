import type { Tx } from '#libs/changes/account-writer.js';
import { mirrors } from '#libs/domain/folders/mirrors.js';
import { emailsOf } from '#libs/domain/messages/emails-of.js';
import { snippetOfHtml } from '#libs/mime/snippet.js';

import type { DraftRow } from './draft-fields.js';

const COLUMNS = `m.id, m.thread_id AS "threadId", m.version, m.subject, coalesce(b.body, '') AS body, m."from", m."to", m.cc,
  m.bcc, m.reply_to AS "replyTo", m.message_id_header AS "messageIdHeader", m.in_reply_to AS "inReplyTo",
  m."references", m.received_at AS "receivedAt", m.draft, m.made_here AS "madeHere"`;

/** Null when there is no such message; it need not be a draft. */
export async function draftRow(tx: Tx, id: string): Promise<DraftRow | null> {
  const [row] = await tx.query<DraftRow>(
    `SELECT ${COLUMNS} FROM messages m LEFT JOIN message_bodies b ON b.account_id = $1 AND b.message_id = m.id
     WHERE m.account_id = $1 AND m.id = $2`,
    [tx.accountId, id],
  );
  return row ?? null;
}

/** Stores a draft as it is to be. Recompute its thread afterwards. */
export async function saveDraftRow(tx: Tx, draft: DraftRow, hasAttachments: boolean): Promise<void> {
  const emails = emailsOf(draft);
  const row = tx.query(SAVE, [
    tx.accountId,
    draft.id,
    draft.threadId,
    draft.messageIdHeader,
    draft.inReplyTo,
    draft.references,
    draft.subject,
    snippetOfHtml(draft.body),
    JSON.stringify(draft.from),
    JSON.stringify(draft.to),
    JSON.stringify(draft.cc),
    JSON.stringify(draft.bcc),
    JSON.stringify(draft.replyTo),
    [...emails.keys()],
    [...emails.values()],
    draft.receivedAt,
    draft.version,
    hasAttachments,
    Buffer.byteLength(draft.body),
  ]);
  const text = tx.query(
    `INSERT INTO message_bodies (account_id, message_id, body) VALUES ($1, $2, $3)
     ON CONFLICT (account_id, message_id) DO UPDATE SET body = excluded.body`,
    [tx.accountId, draft.id, draft.body],
  );
  await Promise.all([row, text]);
}

/** SQL: of what is written here no two are one message: until a copy is saved, nobody else's copy is one of it. */
export const UNSAVED_IDENTITY = `md5('draft:' || $2)::uuid`;

const SAVE = `
  INSERT INTO messages (account_id, id, thread_id, identity, message_id_header, in_reply_to, "references", subject, snippet,
    "from", "to", cc, bcc, reply_to, emails, email_fields, received_at, version, has_attachments, size, unread, starred,
    draft, sent, category_ids, made_here)
  VALUES ($1, $2, $3, ${UNSAVED_IDENTITY}, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    false, false, true, false, '{}', true)
  ON CONFLICT (account_id, id) DO UPDATE SET identity = excluded.identity,
    message_id_header = excluded.message_id_header, in_reply_to = excluded.in_reply_to,
    "references" = excluded."references", subject = excluded.subject, snippet = excluded.snippet, "from" = excluded."from",
    "to" = excluded."to", cc = excluded.cc, bcc = excluded.bcc, reply_to = excluded.reply_to, emails = excluded.emails,
    email_fields = excluded.email_fields, received_at = excluded.received_at, version = excluded.version,
    has_attachments = excluded.has_attachments, size = excluded.size, made_here = true`;

/** Deletes a message with what hangs on it, but for its places: take those first. Recompute its thread afterwards. */
export async function deleteDraftRow(tx: Tx, id: string): Promise<void> {
  for (const table of ['message_bodies', 'files']) {
    await tx.query(`DELETE FROM ${table} WHERE account_id = $1 AND message_id = $2`, [tx.accountId, id]);
  }
  await tx.query('DELETE FROM messages WHERE account_id = $1 AND id = $2', [tx.accountId, id]);
}

/** A place of a message at the provider, and the UIDVALIDITY under which its uid means it. */
export interface KnownPlace {
  readonly folderId: string;
  readonly uid: string;
  readonly uidValidity: string;
}

/** Where a draft stays when it is deleted: where somebody put a copy of it, and in mirrors of that. */
export async function foldersWithoutDraft(tx: Tx, messageId: string): Promise<string[]> {
  const folders = await tx.query<{ id: string; role: string | null }>(
    `SELECT id, role FROM (
       SELECT DISTINCT folder_id FROM message_uids WHERE account_id = $1 AND message_id = $2 OFFSET 0
     ) AS place, LATERAL (
       SELECT id, role FROM categories WHERE account_id = $1 AND id = place.folder_id OFFSET 0
     ) AS folder WHERE role IS DISTINCT FROM 'drafts'`,
    [tx.accountId, messageId],
  );
  return folders.every(({ role }) => mirrors.has(role)) ? [] : folders.map(({ id }) => id);
}

/** Unties a message from its places, but for those in some folders. @returns where it was */
export async function takePlaces(tx: Tx, messageId: string, kept: readonly string[] = []): Promise<KnownPlace[]> {
  return tx.query<KnownPlace>(
    `WITH gone AS (
       DELETE FROM message_uids WHERE account_id = $1 AND message_id = $2 AND folder_id <> ALL($3::text[]) RETURNING folder_id, uid
     ), counted AS (
       UPDATE folder_syncs sync SET synced = synced - left_by.number FROM (
         SELECT folder_id, count(*) AS number FROM gone WHERE uid > 0 GROUP BY folder_id
       ) AS left_by WHERE sync.account_id = $1 AND sync.folder_id = left_by.folder_id
     )
     SELECT gone.folder_id AS "folderId", gone.uid, sync.cursor->>'uidValidity' AS "uidValidity"
     FROM gone JOIN folder_syncs sync ON sync.account_id = $1 AND sync.folder_id = gone.folder_id WHERE gone.uid > 0`,
    [tx.accountId, messageId, kept],
  );
}
