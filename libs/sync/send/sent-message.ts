import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { queueActions } from '#libs/domain/actions/actions.js';
import { attach, showInline } from '#libs/domain/drafts/draft-files.js';
import { saveDraftRow, takePlaces } from '#libs/domain/drafts/draft-rows.js';
import { folderFor } from '#libs/domain/folders/folder-updates.service.js';
import { touchAnsweringDrafts } from '#libs/domain/messages/answered-drafts.js';
import { touchThreads } from '#libs/domain/messages/touch-mail.js';
import type { OutgoingContent } from '#libs/domain/send/outgoing.js';

import { insertFiles } from '../mail/insert-rows.js';
import { nameThread, saveAssignment } from '../mail/thread-store.js';

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
  const [sent] = await Promise.all([folderFor(tx, 'sent', 'Sent'), content && create(tx, content)]);
  if (!content) await leaveDrafts(tx, id, sent);
  const [[row]] = await Promise.all([
    tx.query<SentRow>(
      `UPDATE messages SET draft = false, sent = true, unread = false, received_at = now(),
         category_ids = ARRAY[$3::text], orphaned_at = NULL
       WHERE account_id = $1 AND id = $2
       RETURNING thread_id AS "threadId", message_id_header AS "messageIdHeader"`,
      [tx.accountId, id, sent],
    ),
    // Of a copy that was quicker than we are.
    tx.query('UPDATE message_uids SET received_at = now() WHERE account_id = $1 AND message_id = $2', [
      tx.accountId,
      id,
    ]),
    // Their numbers are those of the draft's copy, which goes: until there is another their bytes are kept.
    content?.raw
      ? null
      : tx.query('UPDATE files SET part = NULL WHERE account_id = $1 AND message_id = $2', [tx.accountId, id]),
  ]);
  if (!row) return;
  if (!content) tx.changes.record('delete', 'draft', id);
  tx.changes.record('create', 'message', id);
  // Answers to it find their thread.
  const [other] = await Promise.all([
    row.messageIdHeader === null ? null : nameThread(tx, row.messageIdHeader, row.threadId),
    touchThreads(tx, [row.threadId], { subjectKeys: new Map([[row.threadId, '0']]) }),
  ]);
  if (other !== null) await join(tx, row.threadId, other);
  const details = content?.raw ? { blobKey: content.raw.blobKey } : {};
  await Promise.all([
    touchAnsweringDrafts(tx, [row]),
    options.saveCopy ? queueActions(tx, [{ kind: 'sent.save', objectId: id, details }]) : null,
  ]);
}

/** What was sent came back before we knew that it was sent. */
async function join(tx: Tx, one: string, other: string): Promise<void> {
  const [older, younger] = one < other ? [one, other] : [other, one];
  const merges = new Map([[younger, older]]);
  await saveAssignment(tx, { refs: new Map(), merges });
  await touchThreads(tx, [], { merges });
}

async function create(tx: Tx, content: OutgoingContent): Promise<void> {
  const { id, raw, body } = content;
  if (content.files.length > 0) await attachSent(tx, content);
  // Those inside a raw message are read from its copy at the provider.
  if (raw) await insertFiles(tx, [{ id, parsed: raw }]);
  const attached = raw
    ? raw.files.some(({ disposition }) => disposition === 'attachment')
    : content.files.length > 0 && (await showInline(tx, id, body)) > 0;
  const threadId = content.threadId ?? newId();
  const row = { ...content, threadId, version: 0, receivedAt: new Date(), draft: true, madeHere: true };
  await saveDraftRow(tx, row, attached);
}

/** One that was deleted in the meantime was sent all the same. */
async function attachSent(tx: Tx, { id, files }: OutgoingContent): Promise<void> {
  const fetched = new Map(files.map((file) => [file.id, file.blobKey]));
  const known = await tx.query<{ id: string }>('SELECT id FROM files WHERE account_id = $1 AND id = ANY($2)', [
    tx.accountId,
    [...fetched.keys()],
  ]);
  const fileIds = known.map((file) => file.id);
  await attach(tx, id, fileIds, fetched);
}

/** Its copies go, but for one among the sent mail. */
async function leaveDrafts(tx: Tx, id: string, sentFolderId: string): Promise<void> {
  const places = await takePlaces(tx, id, sentFolderId);
  await queueActions(tx, [{ kind: 'draft.delete', objectId: id, details: { madeHere: true, places } }]);
}
