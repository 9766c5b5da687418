import type { LoggedChange } from '#libs/changes/change-log.js';
import type { ChangedObject, ChangeEvent } from '#libs/database/thread.entity.js';

/** Folders, labels and tags are one kind of row; which of them a reader is told of depends on its dialect. */
export type Family = 'thread' | 'message' | 'draft' | 'file' | 'category' | 'account';

const FAMILIES: Readonly<Record<ChangedObject, Family>> = {
  thread: 'thread',
  message: 'message',
  draft: 'draft',
  file: 'file',
  tag: 'category',
  folder: 'category',
  label: 'category',
  account: 'account',
};

export interface CollapsedChange extends LoggedChange {
  readonly family: Family;
}

/** One change for each object, where its last one stood: a reader is shown the object as it is now anyway. */
export function collapse(changes: readonly LoggedChange[]): CollapsedChange[] {
  const last = new Map<string, CollapsedChange>();
  for (const change of changes) {
    const family = FAMILIES[change.objectType];
    const key = `${family}:${change.objectId}`;
    const event = folded(last.get(key)?.event, change.event);
    last.delete(key);
    last.set(key, { ...change, family, event });
  }
  return [...last.values()];
}

/** A create followed by a delete stays a delete: the reader may have met the object in a list meanwhile. */
function folded(before: ChangeEvent | undefined, now: ChangeEvent): ChangeEvent {
  if (before === 'create' && now === 'modify') return 'create';
  if (before === 'delete' && now === 'create') return 'modify';
  return now;
}
