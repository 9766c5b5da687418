import type { ChangedObject } from '#libs/database/thread.entity.js';

import type { AccountRef, Dialect } from '../accounts/account-ref.js';

/** Names that type filters know. Some of these objects do not exist yet; nothing is told of them. */
export const deltaTypes = [
  'account',
  'calendar',
  'contact',
  'draft',
  'event',
  'file',
  'folder',
  'label',
  'message',
  'tag',
  'thread',
] as const;
export type DeltaType = (typeof deltaTypes)[number];

/** What one reader of an account's changes wants to see. */
export interface DeltaFeed {
  readonly account: AccountRef;
  readonly dialect: Dialect;
  readonly types: readonly DeltaType[];
  /** view=expanded: threads with their messages, messages with their headers. */
  readonly expanded: boolean;
}

/** API v1 shows folders and labels as tags; v2 shows no tags. */
const HIDDEN: Readonly<Record<Dialect, readonly DeltaType[]>> = { v1: ['folder', 'label'], v2: ['tag'] };

const isPlace = (type: DeltaType): boolean => type === 'tag' || type === 'folder' || type === 'label';

/** What of these types is shown in a dialect at all. */
export function shownTypes(dialect: Dialect, types: readonly DeltaType[]): DeltaType[] {
  return types.filter((type) => !HIDDEN[dialect].includes(type));
}

/** How the log calls what the feed wants. Folders are tags in API v1; tags of the user's own are nothing in v2. */
export function loggedTypes({ types, dialect }: DeltaFeed): ChangedObject[] {
  const logged: ChangedObject[] = (['account', 'thread', 'message', 'draft', 'file'] as const).filter((type) =>
    types.includes(type),
  );
  if (!types.some(isPlace)) return logged;
  return [...logged, 'folder', 'label', ...(dialect === 'v1' ? (['tag'] as const) : [])];
}
