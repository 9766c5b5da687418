import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderVisits, type Watch } from '../folder-visits.js';
import { FolderStore, type StoredFolder } from '../mail/folder-store.js';
import { setFlags, type UidFlags } from '../mail/uid-changes.js';

import { ActionStore, type PendingAction, settle } from './action-store.js';
import { notFound, refused } from './give-up.js';
import { type MovedUid, moveUids } from './move-uids.js';
import { type EffectsPlan, type MoveEffect, type Place, planEffects, type StoreEffect } from './plan-effects.js';

/** What became of a batch. */
interface Outcome {
  /** Flags as the server has them, by folder. */
  readonly flags: Map<string, UidFlags[]>;
  readonly moved: MovedUid[];
  /** Messages that were not where we thought. */
  readonly missing: Set<string>;
  readonly refused: Map<string, ProviderError>;
}

/** Changes flags and folders of messages at the provider. */
@Injectable()
export class MessageEffects {
  constructor(
    private readonly writer: AccountWriter,
    private readonly store: ActionStore,
    private readonly folders: FolderStore,
    private readonly visits: FolderVisits,
  ) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, actions: readonly PendingAction[]): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    const messageIds = [...new Set(actions.map(({ objectId }) => objectId))];
    const places = await this.store.places(accountId, messageIds);
    const wishes = actions.map((action) => ({ ...action, messageId: action.objectId }));
    const outcome = await this.carryOut(watch, planEffects(wishes, places));
    const placed = new Set(places.map(({ messageId }) => messageId));
    for (const id of messageIds) if (!placed.has(id)) outcome.missing.add(id);
    // Where they are now, the folders tell.
    if (outcome.missing.size > 0) watch.roundAt = Math.min(watch.roundAt, Date.now());
    await this.writer.write(accountId, (tx) => settleAll(tx, actions, outcome), { epoch });
  }

  private async carryOut(watch: Watch, plan: EffectsPlan): Promise<Outcome> {
    const outcome: Outcome = { flags: new Map(), moved: [], missing: new Set(), refused: new Map() };
    const folders = new Map((await this.folders.list(watch.account.id)).map((folder) => [folder.id, folder]));
    for (const effect of plan.stores) {
      await attempt(effect.places, outcome, () => this.setFlags(watch, folders, effect, outcome));
    }
    for (const effect of plan.moves) {
      const left = effect.places.filter(({ messageId }) => !isLost(outcome, messageId));
      await attempt(left, outcome, () => this.move(watch, folders, { ...effect, places: left }, outcome));
    }
    return outcome;
  }

  private async setFlags(
    { source }: Watch,
    folders: ReadonlyMap<string, StoredFolder>,
    { folderId, change, places }: StoreEffect,
    outcome: Outcome,
  ): Promise<void> {
    const { path } = mustHave(folders, folderId);
    const driver = await source.get();
    const found = await driver.store(
      path,
      places.map(({ uid }) => uid),
      change,
    );
    const known = outcome.flags.get(folderId) ?? [];
    outcome.flags.set(folderId, known);
    for (const { uid, messageId } of places) {
      const flags = found.get(uid);
      if (flags) known.push({ uid, flags });
      else outcome.missing.add(messageId);
    }
  }

  private async move(
    watch: Watch,
    folders: ReadonlyMap<string, StoredFolder>,
    { folderId, targetId, places }: MoveEffect,
    outcome: Outcome,
  ): Promise<void> {
    const [from, to] = [mustHave(folders, folderId), mustHave(folders, targetId)];
    const driver = await watch.source.get();
    const told = await driver.move(
      from.path,
      places.map(({ uid }) => uid),
      to.path,
    );
    const mute = told.size === 0 && !driver.capabilities.uidPlus;
    // They are found in their new folder before they leave the old one here: a move is one change.
    if (mute) await this.visits.visit(watch, to, 'recent');
    for (const { uid, messageId } of places) {
      const place = told.get(uid);
      if (!place && !mute) outcome.missing.add(messageId);
      const { uid: targetUid = null, uidValidity = null } = place ?? {};
      if (place || mute) outcome.moved.push({ folderId, uid, targetId, targetUid, uidValidity });
    }
  }
}

const isLost = ({ missing, refused: refusals }: Outcome, messageId: string): boolean =>
  missing.has(messageId) || refusals.has(messageId);

/** What is wrong with one folder or command concerns its messages only. */
async function attempt(places: readonly Place[], outcome: Outcome, work: () => Promise<void>): Promise<void> {
  if (places.length === 0) return;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
    for (const { messageId } of places) outcome.refused.set(messageId, error);
  }
}

function mustHave(folders: ReadonlyMap<string, StoredFolder>, id: string): StoredFolder {
  const folder = folders.get(id);
  if (!folder) throw new ProviderError('not-found', 'The folder is gone.');
  return folder;
}

/** Takes over what was done, and settles the actions: from now on the messages are what their uid rows say. */
async function settleAll(tx: Tx, actions: readonly PendingAction[], outcome: Outcome): Promise<void> {
  for (const [folderId, changes] of outcome.flags) await setFlags(tx, folderId, changes);
  await moveUids(tx, outcome.moved);
  for (const [error, ids] of byError(outcome.refused)) {
    await refused(
      tx,
      actions.filter(({ objectId }) => ids.has(objectId)),
      error,
    );
  }
  await notFound(
    tx,
    actions.filter(({ objectId }) => outcome.missing.has(objectId) && !outcome.refused.has(objectId)),
  );
  const done = actions.filter(({ objectId }) => !isLost(outcome, objectId));
  await settle(
    tx,
    done.map(({ id }) => id),
    'successful',
  );
  const touched = await touchMessages(tx, [...new Set(actions.map(({ objectId }) => objectId))]);
  await touchThreads(tx, touched);
}

function byError(refusals: ReadonlyMap<string, ProviderError>): Map<ProviderError, Set<string>> {
  const groups = new Map<ProviderError, Set<string>>();
  for (const [id, error] of refusals) groups.set(error, (groups.get(error) ?? new Set()).add(id));
  return groups;
}
