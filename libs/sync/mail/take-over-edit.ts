import type { Tx } from '#libs/changes/account-writer.js';
import { draftRow, saveDraftRow } from '#libs/domain/drafts/draft-rows.js';
import { printOf } from '#libs/mime/draft-print.js';
import type { ParsedFile } from '#libs/mime/parsed-message.js';

import { insertFiles } from './insert-rows.js';
import type { Edit } from './own-messages.js';

interface KnownFile {
  readonly id: string;
  readonly filename: string | null;
  readonly contentType: string;
  readonly disposition: string;
}

/**
 * A draft is from now on what another mail program made of it: a new version, which is at the provider already. Its
 * Message-ID stays that of the copy, by which that program will go on.
 * @returns threads to recompute
 */
export async function takeOverEdit(tx: Tx, { id, receivedAt, parsed }: Edit): Promise<string[]> {
  const draft = await draftRow(tx, id);
  if (!draft) return [];
  const { subject, from, to, cc, bcc, replyTo, inReplyTo, references } = parsed.headers;
  const edit = { subject, to, cc, bcc, replyTo, inReplyTo, references, from: from.length > 0 ? from : draft.from };
  const next = { ...draft, ...edit, body: parsed.body, version: draft.version + 1 };
  const attached = parsed.files.some(({ disposition }) => disposition === 'attachment');
  await saveDraftRow(tx, { ...next, receivedAt }, attached);
  await tx.query('UPDATE messages SET draft_print = $3 WHERE account_id = $1 AND id = $2', [
    tx.accountId,
    id,
    printOf(parsed),
  ]);
  await takeOverFiles(tx, id, parsed.files);
  if (draft.draft) tx.changes.record('modify', 'draft', id);
  return [draft.threadId];
}

/** Files that are still there keep their ids. What is in them is fetched anew. */
async function takeOverFiles(tx: Tx, messageId: string, files: readonly ParsedFile[]): Promise<void> {
  const left = await tx.query<KnownFile>(
    `SELECT id, filename, content_type AS "contentType", disposition FROM files
     WHERE account_id = $1 AND message_id = $2 ORDER BY id`,
    [tx.accountId, messageId],
  );
  const fresh: ParsedFile[] = [];
  for (const file of files) {
    const at = left.findIndex(
      (known) =>
        known.filename === file.filename &&
        known.contentType.toLowerCase() === file.contentType.toLowerCase() &&
        known.disposition === file.disposition,
    );
    const [known] = at < 0 ? [] : left.splice(at, 1);
    if (!known) fresh.push(file);
    else {
      await tx.query(
        `UPDATE files SET part = $3, size = $4, content_id = $5, blob_key = NULL WHERE account_id = $1 AND id = $2`,
        [tx.accountId, known.id, file.part, file.size, file.contentId],
      );
    }
  }
  for (const { id, disposition } of left) {
    await tx.query('DELETE FROM files WHERE account_id = $1 AND id = $2', [tx.accountId, id]);
    if (disposition !== 'inline') tx.changes.record('delete', 'file', id);
  }
  await insertFiles(tx, [{ id: messageId, parsed: { files: fresh } }]);
}
