import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ImapConnection } from './imap-connection.js';

/** Uids per SEARCH: the answer stays well below the limits of a response. */
const WINDOW = 20_000;

/**
 * Every uid of the open folder, ascending. What this returns is used as proof of deletions, so a list whose length is
 * not the number of messages the server speaks of is thrown away.
 */
export async function listUids(connection: ImapConnection, path: string): Promise<number[]> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const before = connection.selected?.exists;
    if (before === undefined) break;
    const uids = (await search(connection, path, before)) ?? (await fetchUids(connection, path, before));
    // Messages may come and go while we list: then before and after differ, and we look again.
    if (uids.length === before && connection.selected?.exists === before) return uids;
  }
  throw new ProviderError('hostile', `The mail server's list of ${path} is not complete.`);
}

/** Null when the server refuses to search: some do. */
async function search(connection: ImapConnection, path: string, exists: number): Promise<number[] | null> {
  const uids = new Set<number>();
  for (let first = 1; first <= exists; first += WINDOW) {
    const seq = `${first}:${Math.min(exists, first + WINDOW - 1)}`;
    const found = await connection.guard(`listing ${path}`, () => connection.flow.search({ seq }, { uid: true }));
    if (!Array.isArray(found)) return null;
    for (const uid of found) uids.add(uid);
    // Not complete, whatever follows: a server that claims four billion messages is not asked for all of them.
    if (uids.size < Math.min(exists, first + WINDOW - 1)) break;
  }
  return [...uids].sort((a, b) => a - b);
}

async function fetchUids(connection: ImapConnection, path: string, exists: number): Promise<number[]> {
  const uids = new Set<number>();
  const rows = exists > 0 ? connection.flow.fetch(`1:${exists}`, { uid: true }) : [];
  for await (const row of connection.rows(`listing ${path}`, rows as AsyncIterable<{ uid?: number }>)) {
    if (row.uid) uids.add(row.uid);
  }
  return [...uids].sort((a, b) => a - b);
}
