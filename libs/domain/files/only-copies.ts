import type { Reader } from '#libs/database/reader.js';

import { isUnsaved, onItsWay } from '../send/on-its-way.js';

/**
 * Those of these blobs that are, or may be, nowhere else: uploads, files of drafts and sent mail that the provider may
 * not have in their last version, and all that belongs to a message on its way out. Looked up one by one (ADR 0008), but
 * for contents on their way, which are few.
 */
export async function onlyCopies(reader: Reader, blobKeys: readonly string[]): Promise<Set<string>> {
  const rows = await reader.rows<{ key: string }>(ONLY_COPIES, [blobKeys], 'only-copies');
  return new Set(rows.map(({ key }) => key));
}

export const ONLY_COPIES = `
  SELECT wanted.key FROM unnest($1::text[]) AS wanted(key)
  WHERE EXISTS (
    SELECT FROM files file WHERE blob_key = wanted.key AND (
      part IS NULL OR ${isUnsaved('file.account_id', 'file.message_id')}
      OR ${onItsWay('file.account_id', 'file.message_id')}) OFFSET 0
  ) OR wanted.key IN (
    SELECT jsonb_path_query(content, '$.**.blobKey') #>> '{}' FROM sends
    WHERE settled_at IS NULL AND content IS NOT NULL
  ) OR EXISTS (
    SELECT FROM actions WHERE details->>'blobKey' = wanted.key
      AND kind IN ('draft.save', 'sent.save') AND state <> 'successful' OFFSET 0
  )`;
