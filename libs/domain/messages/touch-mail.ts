import type { Tx } from '#libs/changes/account-writer.js';

import { type RefreshOptions, refreshThreads } from '../threads/refresh-threads.js';

import { type Answerable, touchAnsweringDrafts } from './answered-drafts.js';
import { type RefreshedMessage, refreshMessages } from './refresh-messages.js';

/** Recomputes messages after their uid rows changed, and records what looks different. Returns their threads. */
export async function touchMessages(tx: Tx, messageIds: readonly string[]): Promise<string[]> {
  const changed = await refreshMessages(tx, tx.accountId, messageIds);
  for (const { id, draft, wasDraft } of changed) {
    if (draft === wasDraft) tx.changes.record('modify', kindOf(draft), id);
    else {
      tx.changes.record('delete', kindOf(wasDraft), id);
      tx.changes.record('create', kindOf(draft), id);
    }
  }
  await touchAnsweringDrafts(tx, await answerables(tx, changed));
  return changed.map((message) => message.threadId);
}

/** What becomes a draft, or ceases to be one, is answered no more, or is from now on. */
async function answerables(tx: Tx, changed: readonly RefreshedMessage[]): Promise<Answerable[]> {
  const turned = changed.filter(({ draft, wasDraft }) => draft !== wasDraft).map(({ id }) => id);
  if (turned.length === 0) return [];
  return tx.query<Answerable>(
    `SELECT thread_id AS "threadId", message_id_header AS "messageIdHeader" FROM messages
     WHERE account_id = $1 AND id = ANY($2)`,
    [tx.accountId, turned],
  );
}

export const kindOf = (draft: boolean) => (draft ? 'draft' : 'message');

export interface TouchOptions extends RefreshOptions {
  /** Threads that were joined to others, and to which. */
  readonly merges?: ReadonlyMap<string, string>;
}

/** Recomputes threads and records what looks different. */
export async function touchThreads(tx: Tx, threadIds: readonly string[], options: TouchOptions = {}): Promise<void> {
  const merges = options.merges ?? new Map<string, string>();
  const touched = new Set([...threadIds, ...merges.keys(), ...merges.values()]);
  const refreshed = await refreshThreads(tx, tx.accountId, [...touched], options);
  for (const id of refreshed.created) tx.changes.record('create', 'thread', id);
  for (const id of refreshed.modified) tx.changes.record('modify', 'thread', id);
  for (const id of refreshed.deleted) tx.changes.record('delete', 'thread', id);
}
