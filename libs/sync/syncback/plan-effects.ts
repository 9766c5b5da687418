import type { FlagChange } from '#libs/providers/contracts/mail-writer.js';

/** What a pending action wishes of a message; null leaves it as it is. */
export interface Wish {
  readonly messageId: string;
  readonly unread: boolean | null;
  readonly starred: boolean | null;
  readonly folderId: string | null;
}

/** Where a message lies, as far as we know. */
export interface Place {
  readonly messageId: string;
  readonly folderId: string;
  readonly uid: number;
}

/** One STORE (or two: what is added, and what is removed). */
export interface StoreEffect {
  readonly folderId: string;
  readonly change: FlagChange;
  readonly places: readonly Place[];
}

export interface MoveEffect {
  readonly folderId: string;
  readonly targetId: string;
  readonly places: readonly Place[];
}

export interface EffectsPlan {
  /** To be done first: moving makes the uids void. */
  readonly stores: readonly StoreEffect[];
  readonly moves: readonly MoveEffect[];
}

/**
 * What to tell the provider, in as few commands as can be: of several wishes for one field of a message only the last
 * counts, and messages of one folder that want the same go together.
 * @param wishes in the order in which they were made
 */
export function planEffects(wishes: readonly Wish[], places: readonly Place[]): EffectsPlan {
  const net = new Map<string, Wish>();
  for (const wish of wishes) {
    const before = net.get(wish.messageId);
    net.set(wish.messageId, {
      messageId: wish.messageId,
      unread: wish.unread ?? before?.unread ?? null,
      starred: wish.starred ?? before?.starred ?? null,
      folderId: wish.folderId ?? before?.folderId ?? null,
    });
  }
  const stores = new Map<string, { folderId: string; change: FlagChange; places: Place[] }>();
  const moves = new Map<string, { folderId: string; targetId: string; places: Place[] }>();
  for (const place of places) {
    const wish = net.get(place.messageId);
    if (!wish) continue;
    const { folderId } = place;
    const change = flagChange(wish, folderId);
    if (change.add.length + change.remove.length > 0) {
      const key = [folderId, ...change.add, '-', ...change.remove].join(' ');
      grouped(stores, key, { folderId, change, places: [] }).places.push(place);
    }
    if (wish.folderId !== null && wish.folderId !== folderId) {
      const targetId = wish.folderId;
      grouped(moves, `${folderId} ${targetId}`, { folderId, targetId, places: [] }).places.push(place);
    }
  }
  return { stores: [...stores.values()], moves: [...moves.values()] };
}

/**
 * Told whatever we think the flags are: another client may have changed them since. What is to stay where it is may
 * have been on its way to another folder: where that is done by copying, it is marked already.
 */
function flagChange({ unread, starred, folderId }: Wish, at: string): FlagChange {
  const wanted: [string, boolean | null][] = [
    ['\\Seen', unread === null ? null : !unread],
    ['\\Flagged', starred],
    ['\\Deleted', folderId === at ? false : null],
  ];
  const having = (state: boolean) => wanted.filter(([, value]) => value === state).map(([flag]) => flag);
  return { add: having(true), remove: having(false) };
}

function grouped<T>(groups: Map<string, T>, key: string, fresh: T): T {
  const group = groups.get(key) ?? fresh;
  groups.set(key, group);
  return group;
}
