import { InvalidRequest, NotFound } from '#libs/common/errors.js';

import type { CategoryRow } from '../folders/account-categories.js';

export type Destination = 'inbox' | 'archive' | 'spam' | 'trash';

/** Where a thread's messages go. */
export interface Move {
  readonly to: Destination;
  /** Roles of the folders they leave; null: all folders. Taking off a tag that is not there moves nothing. */
  readonly from: readonly string[] | null;
}

/** What adding and removing tags means for a thread. */
export interface TagEffects {
  readonly unread?: boolean;
  readonly starred?: boolean;
  /** In order; of those that a message is subject to, the last one counts. */
  readonly moves: readonly Move[];
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
 * Removals come before additions.
 * @throws NotFound for a tag that nobody has; InvalidRequest for one that cannot be added or removed
 */
export function tagEffects(
  categories: readonly CategoryRow[],
  change: { readonly add: readonly string[]; readonly remove: readonly string[] },
): TagEffects {
  const [moves, added, removed]: [Move[], string[], string[]] = [[], [], []];
  const flags: Flags = { seen: false };
  const apply = (meaning: Meaning) => {
    Object.assign(flags, meaning.flags);
    if (meaning.move) moves.push(meaning.move);
  };
  for (const name of change.remove) {
    const tag = named(categories, name, 'remove');
    if ('own' in tag) removed.push(tag.own);
    else apply(without[tag.canonical]);
  }
  for (const name of change.add) {
    const tag = named(categories, name, 'add');
    if ('own' in tag) added.push(tag.own);
    else if (tag.canonical !== 'unseen') apply(withTag[tag.canonical]);
  }
  return { ...flags, moves, added, removed };
}

interface Flags {
  unread?: boolean;
  starred?: boolean;
  seen: boolean;
}

interface Meaning {
  readonly flags?: Partial<Flags>;
  readonly move?: Move;
}

const withTag: Readonly<Record<Canonical, Meaning>> = {
  unread: { flags: { unread: true } },
  starred: { flags: { starred: true } },
  inbox: { move: { to: 'inbox', from: null } },
  // What lies in a folder of the user's own is filed already.
  archive: { move: { to: 'archive', from: ['inbox', 'spam', 'trash'] } },
  spam: { move: { to: 'spam', from: null } },
  trash: { move: { to: 'trash', from: null } },
};

const without: Readonly<Record<Canonical | 'unseen', Meaning>> = {
  unread: { flags: { unread: false, seen: true } },
  unseen: { flags: { seen: true } },
  starred: { flags: { starred: false } },
  inbox: { move: { to: 'archive', from: ['inbox'] } },
  archive: { move: { to: 'inbox', from: ['archive'] } },
  spam: { move: { to: 'inbox', from: ['spam'] } },
  trash: { move: { to: 'inbox', from: ['trash'] } },
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
