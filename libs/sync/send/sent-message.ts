import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { queueActions } from '#libs/domain/actions/actions.js';
import { attach } from '#libs/domain/drafts/draft-files.js';
import { saveDraftRow, takePlaces } from '#libs/domain/drafts/draft-rows.js';
import { createFolder } from '#libs/domain/folders/folder-updates.service.js';
import { touchAnsweringDrafts } from '#libs/domain/messages/answered-drafts.js';
import { touchThreads } from '#libs/domain/messages/touch-mail.js';
import type { OutgoingContent } from '#libs/domain/send/outgoing.js';

import { hash64 } from '../mail/identity.js';

interface SentRow {
  readonly threadId: string;
  readonly messageIdHeader: string | null;
}

/**
 * What was a draft, or only a request, is a sent message from now on: in its thread at once, and on its way into the
 * provider's folder of sent mail.
 * @param content of a message that was no draft
 */
export async function becomeSent(
  tx: Tx,
  id: string,
  content: OutgoingContent | null,
  options: { readonly saveCopy: boolean },
): Promise<void> {
  const threadId = content ? await create(tx, content) : null;
  if (!content) await leaveDrafts(tx, id);
  const sent = await sentFolder(tx);
  const [row] = await tx.query<SentRow>(
    `UPDATE messages SET draft = false, sent = true, unread = false, received_at = now(), category_ids = ARRAY[$3::text],
       orphaned_at = NULL
     WHERE account_id = $1 AND id = $2
     RETURNING thread_id AS "threadId", message_id_header AS "messageIdHeader"`,
    [tx.accountId, id, sent],
  );
  if (!row) return;
  // Their numbers are those of the draft's copy, which goes: until there is another their bytes are kept.
  if (!content?.raw)
    await tx.query('UPDATE files SET part = NULL WHERE account_id = $1 AND message_id = $2', [tx.accountId, id]);
  if (!content) tx.changes.record('delete', 'draft', id);
  tx.changes.record('create', 'message', id);
  // Answers to it find their thread.
  if (row.messageIdHeader !== null) {
    await tx.query('INSERT INTO thread_refs (account_id, ref, thread_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
      tx.accountId,
      hash64(row.messageIdHeader),
      row.threadId,
    ]);
  }
  await touchThreads(tx, [threadId ?? row.threadId], { subjectKeys: new Map([[row.threadId, '0']]) });
  await touchAnsweringDrafts(tx, [row]);
  const details = content?.raw ? { blobKey: content.raw.blobKey } : {};
  if (options.saveCopy) await queueActions(tx, [{ kind: 'sent.save', objectId: id, details }]);
}

async function create(tx: Tx, content: OutgoingContent): Promise<string> {
  const threadId = content.threadId ?? newId();
  const fetched = new Map(content.files.map(({ id, blobKey }) => [id, blobKey]));
  const row = { ...content, threadId, version: 0, receivedAt: new Date(), draft: true, madeHere: true };
  await saveDraftRow(tx, row, false);
  const known = await tx.query<{ id: string }>('SELECT id FROM files WHERE account_id = $1 AND id = ANY($2)', [
    tx.accountId,
    [...fetched.keys()],
  ]);
  // One that was deleted in the meantime was sent all the same.
  await attach(
    tx,
    content.id,
    known.map(({ id }) => id),
    fetched,
  );
  await insertRawFiles(tx, content);
  await tx.query(
    `UPDATE files SET content_id = id, disposition = 'inline'
     WHERE account_id = $1 AND message_id = $2 AND strpos($3, 'cid:' || id) > 0`,
    [tx.accountId, content.id, content.body],
  );
  await tx.query(
    `UPDATE messages SET has_attachments = EXISTS (
       SELECT FROM files WHERE account_id = $1 AND message_id = $2 AND disposition = 'attachment'
     ) WHERE account_id = $1 AND id = $2`,
    [tx.accountId, content.id],
  );
  return threadId;
}

/** Files inside a raw message: they are read from its copy at the provider. */
async function insertRawFiles(tx: Tx, { id, raw }: OutgoingContent): Promise<void> {
  for (const file of raw?.files ?? []) {
    await tx.query(
      `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, content_id, disposition)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        tx.accountId,
        newId(),
        id,
        file.part,
        file.filename,
        file.contentType,
        file.size,
        file.contentId,
        file.disposition,
      ],
    );
  }
}

/** Its copies in the drafts folder go. */
async function leaveDrafts(tx: Tx, id: string): Promise<void> {
  const places = await takePlaces(tx, id);
  await queueActions(tx, [{ kind: 'draft.delete', objectId: id, details: { madeHere: true, places } }]);
}

async function sentFolder(tx: Tx): Promise<string> {
  const [folder] = await tx.query<{ id: string }>(
    `SELECT id FROM categories WHERE account_id = $1 AND kind = 'folder' AND (role = 'sent' OR lower(display_name) = 'sent')
     ORDER BY (role = 'sent') IS TRUE DESC LIMIT 1`,
    [tx.accountId],
  );
  return folder?.id ?? createFolder(tx, 'Sent', 'sent');
}
