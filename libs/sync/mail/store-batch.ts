import type { AccountWriter, Tx, WriteOptions } from '#libs/changes/account-writer.js';

import { type FolderRef, ingest, type ReadMessage } from './ingest.js';
import { noteAbsent, noteFlagless, notePoison } from './poison.js';
import type { ReadOutcome } from './read-messages.js';

export interface BatchTarget {
  readonly accountId: string;
  readonly folder: FolderRef;
  /** Canonical address of the account. */
  readonly owner: string;
  /** Messages from this uid on have just arrived; null when all of them are old mail. */
  readonly uidNext: number | null;
  readonly stopAtCopies?: boolean;
}

/**
 * Stores what was read, and with it what the reader remembers of its position. A message the database refuses does
 * not hold up the others: each is then stored by itself, the refused one is noted, and the position moves on.
 * @throws CopyStored when asked to stop at copies and there is one
 */
export async function storeBatch(
  writer: AccountWriter,
  target: BatchTarget,
  outcome: ReadOutcome,
  position: (tx: Tx) => Promise<void>,
  options: WriteOptions = {},
): Promise<void> {
  const { accountId, folder } = target;
  try {
    await writer.write(
      accountId,
      async (tx) => {
        await position(tx);
        await ingestBoth(tx, target, outcome.messages);
        await noteFlagless(tx, folder.id, outcome.messages);
        await notePoison(tx, folder.id, outcome.unreadable);
        await noteAbsent(tx, folder.id, outcome.absent);
      },
      { ...options, eager: true },
    );
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    const unreadable = [...outcome.unreadable];
    for (const message of outcome.messages) {
      const reason = await refusalOf(() => writer.write(accountId, (tx) => ingestBoth(tx, target, [message]), options));
      if (reason) unreadable.push({ uid: message.uid, reason });
    }
    await writer.write(
      accountId,
      async (tx) => {
        await position(tx);
        await noteFlagless(tx, folder.id, outcome.messages);
        await notePoison(tx, folder.id, unreadable);
        await noteAbsent(tx, folder.id, outcome.absent);
      },
      options,
    );
  }
}

async function ingestBoth(tx: Tx, target: BatchTarget, messages: readonly ReadMessage[]): Promise<void> {
  const { folder, owner, uidNext, stopAtCopies } = target;
  const isNew = (message: ReadMessage) => uidNext !== null && message.uid >= uidNext;
  await ingest(tx, { folder, owner, fresh: true, stopAtCopies }, messages.filter(isNew));
  await ingest(
    tx,
    { folder, owner, fresh: false, stopAtCopies },
    messages.filter((message) => !isNew(message)),
  );
}

async function refusalOf(store: () => Promise<void>): Promise<string | null> {
  try {
    await store();
    return null;
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    return `The database refused a value in it (${error.code}).`;
  }
}

/** SQLSTATE classes 22 (data exception) and 54 (limit exceeded): this value will never be taken. */
function isRefusedValue(error: unknown): error is { code: string } {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(22|54)/.test(code);
}
