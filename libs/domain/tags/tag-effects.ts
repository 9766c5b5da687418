import { InvalidRequest, NotFound } from '#libs/common/errors.js';

import type { CategoryRow } from '../folders/account-categories.js';

/** Where a thread's messages go. `archive`: those in the inbox. */
export type Destination = 'inbox' | 'archive' | 'spam' | 'trash';

/** What adding and removing tags means for a thread. */
export interface TagEffects {
  readonly unread?: boolean;
  readonly starred?: boolean;
  readonly destination?: Destination;
  /** The tag `unseen` goes. */
  readonly seen: boolean;
  /** Ids of the user's own tags. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const BOTH_WAYS = ['inbox', 'archive', 'spam', 'trash', 'starred', 'unread'] as const;
type Canonical = (typeof BOTH_WAYS)[number];
const READ_ONLY = new Set(['drafts', 'sent', 'sending', 'attachment', 'important', 'all', 'unseen']);

const isCanonical = (name: string): name is Canonical => (BOTH_WAYS as readonly string[]).includes(name);

/** A tag as clients name it, by id or by name. */
type Named = { readonly canonical: Canonical | 'unseen' } | { readonly own: string };

/**
 * Removals come before additions, and of several destinations the last one counts.
 * @throws NotFound for a tag that nobody has; InvalidRequest for one that cannot be added or removed
 */
export function tagEffects(
  categories: readonly CategoryRow[],
  change: { readonly add: readonly string[]; readonly remove: readonly string[] },
): TagEffects {
  const effects: { -readonly [K in keyof TagEffects]: TagEffects[K] } = { seen: false, added: [], removed: [] };
  for (const name of change.remove) {
    const tag = named(categories, name, 'remove');
    if ('own' in tag) effects.removed = [...effects.removed, tag.own];
    else if (tag.canonical === 'unseen') effects.seen = true;
    else Object.assign(effects, without[tag.canonical]);
  }
  for (const name of change.add) {
    const tag = named(categories, name, 'add');
    if ('own' in tag) effects.added = [...effects.added, tag.own];
    else if (tag.canonical !== 'unseen') Object.assign(effects, withTag[tag.canonical]);
  }
  return effects;
}

const withTag: Readonly<Record<Canonical, Partial<TagEffects>>> = {
  unread: { unread: true },
  starred: { starred: true },
  inbox: { destination: 'inbox' },
  archive: { destination: 'archive' },
  spam: { destination: 'spam' },
  trash: { destination: 'trash' },
};

const without: Readonly<Record<Canonical, Partial<TagEffects>>> = {
  unread: { unread: false, seen: true },
  starred: { starred: false },
  inbox: { destination: 'archive' },
  archive: { destination: 'inbox' },
  spam: { destination: 'inbox' },
  trash: { destination: 'inbox' },
};

function named(categories: readonly CategoryRow[], given: string, doing: 'add' | 'remove'): Named {
  const name = given.trim().toLowerCase();
  if (isCanonical(name)) return { canonical: name };
  if (name === 'unseen' && doing === 'remove') return { canonical: name };
  const found = categories.find((row) => row.id === name || row.display_name.toLowerCase() === name);
  if (found?.kind === 'tag') return { own: found.id };
  if (found?.role && isCanonical(found.role)) return { canonical: found.role };
  if (found || READ_ONLY.has(name)) throw new InvalidRequest(`Cannot ${doing} read-only tag ${given}`);
  throw new NotFound('tag', given);
}
