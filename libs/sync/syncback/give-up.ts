import { noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';
import type { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { backOffMs } from '../policy.js';

import { type PendingAction, postpone, settle, waitForLook } from './action-store.js';

/** A refusal is believed when it comes this often. */
const MOST_ATTEMPTS = 3;
/** A folder that is locked or broken is waited for a quarter of an hour. */
const MOST_WAITS = 10;
/** What changes folders keeps everything else back: half a minute. */
const MOST_FOLDER_WAITS = 5;
/** A message that is looked for in vain this often, over a minute or so, is gone. */
const MOST_SEARCHES = 6;

/**
 * What the provider refused is tried again a few times, then given up: the account's log says so, and what was shown
 * goes back to what the provider has; but what somebody wrote is kept here. Recompute the objects afterwards.
 * @returns whether any was given up
 */
export async function refused(tx: Tx, actions: readonly PendingAction[], error: ProviderError): Promise<boolean> {
  const changesFolders = actions.some(({ kind }) => kind.startsWith('folder.'));
  return delay(tx, actions, error.message, mostAttempts(error, changesFolders));
}

function mostAttempts({ kind }: ProviderError, changesFolders: boolean): number {
  if (kind === 'folder-unavailable') return changesFolders ? MOST_FOLDER_WAITS : MOST_WAITS;
  return kind === 'not-found' || kind === 'forbidden' ? 1 : MOST_ATTEMPTS;
}

/** Messages that were not where we thought: the next passes will tell where they are, if anywhere. */
export async function notFound(tx: Tx, actions: readonly PendingAction[]): Promise<void> {
  await delay(tx, actions, 'The message is not in its folder any more.', MOST_SEARCHES);
}

const RENUMBERED = 'The server has renumbered the folder; it is read anew first.';
const RENUMBERED_WAIT_MS = 3000;

/** Until the folder has been read under its new numbers it is not known where its messages are. */
export async function renumbered(tx: Tx, actions: readonly Pick<PendingAction, 'id'>[]): Promise<void> {
  await waitForLook(
    tx,
    actions.map(({ id }) => id),
    RENUMBERED,
    RENUMBERED_WAIT_MS,
  );
}

async function delay(tx: Tx, actions: readonly PendingAction[], reason: string, most: number): Promise<boolean> {
  const over = actions.filter(({ attempts }) => attempts + 1 >= most);
  await giveUp(tx, over, reason);
  for (const action of actions) {
    if (!over.includes(action)) await postpone(tx, [action.id], reason, backOffMs(action.attempts + 1));
  }
  return over.length > 0;
}

export async function giveUp(
  tx: Tx,
  actions: readonly (Pick<PendingAction, 'id'> & { readonly kind: string })[],
  reason: string,
): Promise<void> {
  if (actions.length === 0) return;
  const ids = actions.map(({ id }) => id);
  await settle(tx, ids, 'failed', reason);
  const kept = actions.every(({ kind }) => kind === 'draft.save' || kind === 'sent.save');
  const changes = actions.length === 1 ? 'A change was' : `${actions.length} changes were`;
  const message = kept
    ? `What was written could not be saved at the provider, and is kept here: ${reason}`
    : `${changes} given up, and taken back here: ${reason}`;
  await noteEvents(tx, [{ level: 'warn', kind: 'action.failed', message, details: { actionIds: ids.slice(0, 20) } }]);
}
