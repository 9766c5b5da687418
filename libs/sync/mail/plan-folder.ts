import type { FolderCursor, FolderFact } from '#libs/providers/contracts/mail-driver.js';

/** What one read of a folder's changes said, complete. */
export interface FolderFacts {
  readonly reset: boolean;
  readonly present: ReadonlyMap<number, readonly string[]>;
  readonly vanished: ReadonlySet<number>;
  /** The whole uid list, when it was read. */
  readonly listing: ReadonlySet<number> | null;
  readonly cursor: FolderCursor;
}

/** A stretch of uids that backfill still has to read, both ends included. */
export interface PendingRange {
  readonly low: number;
  readonly high: number;
}

export interface FolderPlan {
  /** Uids to read, newest first. */
  readonly fetch: readonly number[];
  readonly reflag: readonly { readonly uid: number; readonly flags: readonly string[] }[];
  readonly drop: readonly number[];
}

/** @throws Error when the stream ends without a cursor: it then proves nothing. */
export async function collectFacts(stream: AsyncIterable<FolderFact>): Promise<FolderFacts> {
  let reset = false;
  let listing: Set<number> | null = null;
  let cursor: FolderCursor | null = null;
  const present = new Map<number, readonly string[]>();
  const vanished = new Set<number>();
  for await (const fact of stream) {
    switch (fact.fact) {
      case 'reset':
        reset = true;
        break;
      case 'present':
        present.set(fact.uid, fact.flags);
        vanished.delete(fact.uid);
        break;
      case 'vanished':
        for (const uid of fact.uids) {
          vanished.add(uid);
          present.delete(uid);
        }
        break;
      case 'listing':
        listing = new Set(fact.uids);
        break;
      case 'cursor':
        cursor = fact.cursor;
        break;
      default:
        fact satisfies never;
    }
  }
  if (!cursor) throw new Error('a stream of folder facts ended without a cursor');
  return { reset, present, vanished, listing, cursor };
}

/**
 * What to do so that our uid rows equal the folder.
 * @param known our uids with their flags: all of the folder when there is a listing, else at least those in the facts
 * @param pending uids in here are left alone: backfill will read them as they are then
 */
export function planFolder(
  facts: FolderFacts,
  known: ReadonlyMap<number, readonly string[]>,
  pending: readonly PendingRange[],
): FolderPlan {
  const waits = (uid: number) => pending.some((range) => uid >= range.low && uid <= range.high);
  const fetch = new Set<number>();
  const reflag: { uid: number; flags: readonly string[] }[] = [];
  for (const [uid, flags] of facts.present) {
    const held = known.get(uid);
    if (held === undefined) fetch.add(uid);
    else if (!sameFlags(held, flags)) reflag.push({ uid, flags });
  }
  for (const uid of facts.listing ?? []) if (!known.has(uid)) fetch.add(uid);
  const gone = (uid: number) => facts.vanished.has(uid) || (facts.listing !== null && !facts.listing.has(uid));
  return {
    fetch: [...fetch].filter((uid) => !waits(uid)).toSorted((a, b) => b - a),
    reflag,
    drop: [...known.keys()].filter((uid) => gone(uid) && !facts.present.has(uid)),
  };
}

function sameFlags(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((flag) => others.includes(flag));
}
