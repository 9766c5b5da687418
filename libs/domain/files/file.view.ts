import { z } from 'zod';

export const FileView = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    namespace_id: z.string(),
    account_id: z.string(),
    content_type: z.string(),
    filename: z.string().nullable(),
    size: z.int().describe('Bytes'),
    message_ids: z.array(z.string()).optional().describe('Only when attached to a message'),
    content_id: z.string().nullable().optional().describe('Only when attached to a message'),
    content_disposition: z.enum(['attachment', 'inline']),
  })
  .meta({ id: 'File' });
export type FileView = z.infer<typeof FileView>;

export interface StoredFile {
  readonly id: string;
  readonly message_id: string | null;
  readonly filename: string | null;
  readonly content_type: string;
  readonly size: string;
  readonly content_id: string | null;
  readonly disposition: 'attachment' | 'inline';
  readonly blob_key: string | null;
}

export function toFileView(accountId: string, row: StoredFile): FileView {
  return {
    id: row.id,
    object: 'file',
    namespace_id: accountId,
    account_id: accountId,
    content_type: row.content_type,
    filename: row.filename,
    size: Number(row.size),
    ...(row.message_id === null ? {} : { message_ids: [row.message_id], content_id: row.content_id }),
    content_disposition: row.disposition,
  };
}
