import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { queueActions } from '#libs/domain/actions/actions.js';
import { attach, showInline } from '#libs/domain/drafts/draft-files.js';
import { saveDraftRow, takePlaces } from '#libs/domain/drafts/draft-rows.js';
import { folderFor } from '#libs/domain/folders/folder-updates.service.js';
import { touchAnsweringDrafts } from '#libs/domain/messages/answered-drafts.js';
import { emailsOf } from '#libs/domain/messages/emails-of.js';
import { touchThreads } from '#libs/domain/messages/touch-mail.js';
import type { OutgoingContent } from '#libs/domain/send/outgoing.js';

import { noteWaitingBounces } from '../mail/bounces.js';
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
  if (content && (await takeFiledCopy(tx, content))) {
    if (options.saveCopy) await queueActions(tx, [savingOf(content)]);
    await noteWaitingBounces(tx, [content.messageIdHeader]);
    return;
  }
  const [sent] = await Promise.all([folderFor(tx, 'sent', 'Sent'), content && create(tx, content)]);
  const folders = content ? [sent] : await leaveDrafts(tx, id, sent);
  const [[row]] = await Promise.all([
    tx.query<SentRow>(
      `UPDATE messages SET draft = false, sent = true, unread = false, received_at = now(),
         category_ids = $3, orphaned_at = NULL
       WHERE account_id = $1 AND id = $2
       RETURNING thread_id AS "threadId", message_id_header AS "messageIdHeader"`,
      [tx.accountId, id, folders],
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
  await Promise.all([
    touchAnsweringDrafts(tx, [row]),
    options.saveCopy ? queueActions(tx, [savingOf({ id, raw: content?.raw })]) : null,
  ]);
  await noteWaitingBounces(tx, [row.messageIdHeader]);
}

const savingOf = ({ id, raw }: Pick<OutgoingContent, 'id' | 'raw'>) =>
  ({ kind: 'sent.save', objectId: id, details: raw ? { blobKey: raw.blobKey } : {} }) as const;

/**
 * Its copy, when it came before we knew that it was sent, is the message. Who got it blindly it does not tell.
 * @returns whether there is one
 */
async function takeFiledCopy(tx: Tx, content: OutgoingContent): Promise<boolean> {
  const emails = emailsOf(content);
  const bcc = content.bcc.length > 0;
  const [row] = await tx.query<{ threadId: string }>(
    `UPDATE messages SET made_here = true, bcc = CASE WHEN $3 THEN $4::json ELSE bcc END,
       emails = CASE WHEN $3 THEN $5::text[] ELSE emails END,
       email_fields = CASE WHEN $3 THEN $6::smallint[] ELSE email_fields END
     WHERE account_id = $1 AND id = $2 RETURNING thread_id AS "threadId"`,
    [tx.accountId, content.id, bcc, JSON.stringify(content.bcc), [...emails.keys()], [...emails.values()]],
  );
  if (!row) return false;
  if (bcc) {
    tx.changes.record('modify', 'message', content.id);
    await touchThreads(tx, [row.threadId]);
  }
  return true;
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

/** Its copies go, but for those of what was sent. @returns where it is now */
async function leaveDrafts(tx: Tx, id: string, sentFolderId: string): Promise<string[]> {
  const filed = await tx.query<{ id: string }>(
    `SELECT DISTINCT folder.id FROM message_uids place
     JOIN categories folder ON folder.account_id = $1 AND folder.id = place.folder_id
     WHERE place.account_id = $1 AND place.message_id = $2 AND uid > 0 AND '\\Draft' <> ALL(place.flags)
       AND folder.role IS DISTINCT FROM 'drafts' AND folder.role IS DISTINCT FROM 'trash'`,
    [tx.accountId, id],
  );
  const kept = [...new Set([sentFolderId, ...filed.map((folder) => folder.id)])].toSorted();
  const places = await takePlaces(tx, id, kept);
  await queueActions(tx, [{ kind: 'draft.delete', objectId: id, details: { madeHere: true, places } }]);
  return kept;
}
