import type { Tx } from '#libs/changes/account-writer.js';

import { queueActions } from '../actions/actions.js';
import { folderFor } from '../folders/folder-updates.service.js';
import { touchMessages, touchThreads } from '../messages/touch-mail.js';

import { takePlaces } from './draft-rows.js';

/** Has a new draft saved at the provider, where there has to be a place for it. */
export async function queueFirstSave(tx: Tx, id: string): Promise<void> {
  await folderFor(tx, 'drafts', 'Drafts');
  await queueActions(tx, [{ kind: 'draft.save', objectId: id, details: { version: 0 } }]);
}

/**
 * Has a draft saved that was something else before. What lies elsewhere (a letter that a mail program copied to the
 * drafts) still is that, and no draft: the draft lies among the drafts alone, and when it leaves them before it is saved
 * it is not taken for what stays. The letter is read again, as a message of its own.
 */
export async function queueSave(tx: Tx, id: string, version: number): Promise<void> {
  const places = await takePlaces(tx, id, [await folderFor(tx, 'drafts', 'Drafts')]);
  if (places.length > 0) await touchThreads(tx, await touchMessages(tx, [id]));
  await queueActions(tx, [{ kind: 'draft.save', objectId: id, details: { version, places } }]);
}
