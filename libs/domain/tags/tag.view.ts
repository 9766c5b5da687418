import { z } from 'zod';

import { type CategoryRow, tagOf } from '../folders/account-categories.js';

export const TagView = z
  .object({
    id: z.string(),
    object: z.literal('tag'),
    namespace_id: z.string(),
    account_id: z.string(),
    name: z.string(),
    readonly: z.boolean().describe('Can neither be added to threads nor removed from them'),
  })
  .meta({ id: 'Tag' });
export type TagView = z.infer<typeof TagView>;

export const TagDetailView = TagView.extend({ thread_count: z.int(), unread_count: z.int() }).meta({ id: 'TagDetail' });
export type TagDetailView = z.infer<typeof TagDetailView>;

/** Tags every account has, whatever folders it has. */
const ALWAYS = ['inbox', 'drafts', 'sent', 'starred', 'unread', 'unseen', 'attachment'];
/** The order in which canonical tags are listed. */
const CANONICAL = ['inbox', 'archive', 'drafts', 'sent', 'spam', 'starred', 'trash', 'unread', 'unseen', 'attachment'];
const CHANGEABLE = new Set(['inbox', 'archive', 'spam', 'trash', 'starred', 'unread', 'unseen']);

/** An account's tags: the canonical ones it has, then its other folders and its own tags, oldest first. */
export function tagsOfAccount(accountId: string, rows: readonly CategoryRow[]): TagView[] {
  const tags = new Map<string, TagView>();
  for (const name of [...ALWAYS, ...rows.flatMap((row) => row.role ?? [])]) {
    tags.set(name, tagView(accountId, name, name, !CHANGEABLE.has(name)));
  }
  const canonical = [...tags.values()].toSorted((a, b) => place(a.id) - place(b.id));
  const own = rows.filter((row) => row.role === null);
  return [...canonical, ...own.map((row) => ownTag(accountId, row))];
}

function ownTag(accountId: string, row: CategoryRow): TagView {
  const { id, name } = tagOf(row);
  return tagView(accountId, id, name, row.kind !== 'tag');
}

function tagView(accountId: string, id: string, name: string, readonly: boolean): TagView {
  return { id, object: 'tag', namespace_id: accountId, account_id: accountId, name, readonly };
}

const place = (id: string): number => (CANONICAL.includes(id) ? CANONICAL.indexOf(id) : CANONICAL.length);
