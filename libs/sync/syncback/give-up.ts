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

/** Of a folder that cannot be read its own visits try again, too. */
const UNREADABLE_WAIT_MS = 30_000;

/**
 * Until the folder has been read under its new numbers it is not known where its messages are. Where that fails, the
 * actions say so: they wait as long as it does, and nothing of them is lost.
 */
export async function renumbered(tx: Tx, actions: readonly Pick<PendingAction, 'id' | 'objectId'>[]): Promise<void> {
  if (actions.length === 0) return;
  const failing = await tx.query<{ objectId: string; name: string; error: string }>(
    `SELECT wanted.id AS "objectId", folder.display_name AS name, sync.last_error AS error
     FROM unnest($2::text[]) AS wanted(id), LATERAL (
       SELECT DISTINCT folder_id FROM message_uids WHERE account_id = $1 AND message_id = wanted.id OFFSET 0
     ) AS place
     JOIN folder_syncs sync ON sync.account_id = $1 AND sync.folder_id = place.folder_id
     JOIN categories folder ON folder.account_id = $1 AND folder.id = place.folder_id
     WHERE sync.state = 'failing' AND sync.last_error IS NOT NULL`,
    [tx.accountId, actions.map(({ objectId }) => objectId)],
  );
  const waiting = actions.filter(({ objectId }) => failing.every((folder) => folder.objectId !== objectId));
  await waitForLook(
    tx,
    waiting.map(({ id }) => id),
    RENUMBERED,
    RENUMBERED_WAIT_MS,
  );
  for (const { objectId, name, error } of failing) {
    const reason = `The server has renumbered folder ${name}, which cannot be read: ${error}`;
    const ids = actions.filter((action) => action.objectId === objectId).map(({ id }) => id);
    await waitForLook(tx, ids, reason, UNREADABLE_WAIT_MS);
  }
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
