import type { Tx } from '#libs/changes/account-writer.js';
import { NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';

interface FileRow {
  readonly id: string;
  readonly message_id: string | null;
  readonly blob_key: string | null;
}

/** Bytes that are at hand, of files that are attached to other messages: by file id, their key in the blob store. */
export type FetchedFiles = ReadonlyMap<string, string>;

/**
 * Makes these the draft's files, in this order. An upload becomes the draft's own; of a file that belongs to another
 * message the draft gets a copy. Files that are taken out are uploads again.
 * @throws NotFound for a file that does not exist
 */
export async function attach(
  tx: Tx,
  draftId: string,
  fileIds: readonly string[],
  fetched: FetchedFiles,
): Promise<void> {
  const wanted = [...new Set(fileIds)];
  const rows = await tx.query<FileRow>(
    'SELECT id, message_id, blob_key FROM files WHERE account_id = $1 AND id = ANY($2)',
    [tx.accountId, wanted],
  );
  const files = new Map(rows.map((row) => [row.id, row]));
  const missing = wanted.find((id) => !files.has(id));
  if (missing !== undefined) throw new NotFound('file', missing);
  await tx.query(
    'UPDATE files SET message_id = NULL, part = NULL WHERE account_id = $1 AND message_id = $2 AND id <> ALL($3)',
    [tx.accountId, draftId, wanted],
  );
  for (const id of wanted) {
    const { message_id: owner, blob_key: known } = files.get(id)!;
    if (owner === draftId) continue;
    if (owner === null) {
      await tx.query('UPDATE files SET message_id = $3 WHERE account_id = $1 AND id = $2', [tx.accountId, id, draftId]);
      tx.changes.record('modify', 'file', id);
      continue;
    }
    const copy = newId();
    await tx.query(
      `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, content_id, disposition, blob_key)
       SELECT $1, $3, $4, NULL, filename, content_type, size, NULL, 'attachment', $5
       FROM files WHERE account_id = $1 AND id = $2`,
      [tx.accountId, id, copy, draftId, fetched.get(id) ?? known],
    );
    tx.changes.record('create', 'file', copy);
  }
}

/** Files that the body shows (`cid:` and the file's id) are inline. @returns how many are not */
export async function showInline(tx: Tx, draftId: string, body: string): Promise<number> {
  await tx.query(
    `UPDATE files SET content_id = shown.id, disposition = CASE WHEN shown.id IS NULL THEN 'attachment' ELSE 'inline' END
     FROM (
       SELECT file.id AS file_id, CASE WHEN strpos($3, 'cid:' || file.id) > 0 THEN file.id END AS id
       FROM files file WHERE file.account_id = $1 AND file.message_id = $2
         AND (file.content_id IS NULL OR file.content_id = file.id)
     ) AS shown WHERE account_id = $1 AND files.id = shown.file_id`,
    [tx.accountId, draftId, body],
  );
  const [counted] = await tx.query<{ number: number }>(
    `SELECT count(*)::int AS number FROM files
     WHERE account_id = $1 AND message_id = $2 AND disposition = 'attachment'`,
    [tx.accountId, draftId],
  );
  return counted?.number ?? 0;
}
