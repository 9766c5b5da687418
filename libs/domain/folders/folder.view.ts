import { z } from 'zod';

import type { CategoryRow } from './account-categories.js';

const Fields = z.object({
  id: z.string(),
  account_id: z.string(),
  namespace_id: z.string(),
  name: z.string().nullable().describe('Canonical name (inbox, sent, …), or null'),
  display_name: z.string(),
});

export const FolderView = Fields.extend({ object: z.literal('folder') }).meta({ id: 'Folder' });
export const LabelView = Fields.extend({ object: z.literal('label') }).meta({ id: 'Label' });
export type FolderView = z.infer<typeof FolderView>;
export type LabelView = z.infer<typeof LabelView>;

export function toFolderView(accountId: string, row: CategoryRow): FolderView | LabelView {
  return {
    id: row.id,
    object: row.kind === 'label' ? 'label' : 'folder',
    account_id: accountId,
    namespace_id: accountId,
    name: row.role,
    display_name: row.display_name,
  };
}
