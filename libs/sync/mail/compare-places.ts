import { hash } from 'node:crypto';

import type { FolderPlan } from './plan-folder.js';

/** Flags by uid. */
export type Places = ReadonlyMap<number, readonly string[]>;

/** The checksum of uids and flags that `DriftStore.digest` has the database make. */
export function digestOf(places: Places): string {
  const lines = [...places]
    .toSorted(([a], [b]) => a - b)
    .map(([uid, flags]) => `${uid} ${flags.toSorted().join(' ')}\n`);
  return hash('md5', lines.join(''));
}

/** What two plans have in common: what one comparison found and a second one, after a pass, found again. */
export function agreed(first: FolderPlan, second: FolderPlan): FolderPlan {
  const [fetch, reflag, drop] = [first.fetch, first.reflag.map(({ uid }) => uid), first.drop].map((u) => new Set(u));
  return {
    fetch: second.fetch.filter((uid) => fetch!.has(uid)),
    reflag: second.reflag.filter(({ uid }) => reflag!.has(uid)),
    drop: second.drop.filter((uid) => drop!.has(uid)),
  };
}

export function isEmpty(plan: FolderPlan): boolean {
  return plan.fetch.length + plan.reflag.length + plan.drop.length === 0;
}
