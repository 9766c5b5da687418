import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import type { NewPlace } from '#libs/providers/contracts/mail-writer.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderVisits, type Watch } from '../folder-visits.js';
import { FolderStore, numbered, type StoredFolder } from '../mail/folder-store.js';
import { setFlags, type UidFlags } from '../mail/uid-changes.js';

import { ActionStore, type PendingAction, settle } from './action-store.js';
import { giveUp, notFound, refused, renumbered } from './give-up.js';
import { type MovedUid, moveUids } from './move-uids.js';
import { type EffectsPlan, type MoveEffect, type Place, planEffects, type StoreEffect } from './plan-effects.js';

/** What one kind of effect ran into, by message. */
interface Trouble {
  /** Was not where we thought. */
  readonly missing: Set<string>;
  readonly refused: Map<string, ProviderError>;
}

/** What became of a batch. */
interface Outcome {
  /** Flags as the server has them, by folder. */
  readonly flags: Map<string, UidFlags[]>;
  readonly moved: MovedUid[];
  readonly storing: Trouble;
  readonly moving: Trouble;
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
    await this.lookForHalves(watch, actions);
    const places = await this.store.places(accountId, messageIds);
    const wishes = actions.map((action) => ({ ...action, messageId: action.objectId }));
    const tried = new Set(actions.filter(({ attempts }) => attempts > 0).map(({ objectId }) => objectId));
    const outcome = await this.carryOut(watch, planEffects(wishes, places), tried);
    const placed = new Set(places.map(({ messageId }) => messageId));
    const homeless = messageIds.filter((id) => !placed.has(id));
    for (const id of homeless) for (const { missing } of [outcome.storing, outcome.moving]) missing.add(id);
    const existing = homeless.length > 0 ? await this.store.existing(accountId, homeless) : new Map<string, boolean>();
    const gone = actions.filter(({ objectId }) => !placed.has(objectId) && !existing.has(objectId));
    const waiting = actions.filter(({ objectId }) => existing.get(objectId) === true);
    const left = actions.filter((action) => !gone.includes(action) && !waiting.includes(action));
    // Where they are now, the folders tell; and what these are called, should one have been renamed.
    if (waiting.length > 0 || left.some((action) => verdictOf(action, outcome) !== 'done')) lookSoon(watch);
    await this.writer.write(
      accountId,
      async (tx) => {
        await giveUp(tx, gone, 'The message has been deleted.');
        await renumbered(tx, waiting);
        await settleAll(tx, left, outcome);
      },
      { epoch },
    );
  }

  /** Where a wish was overtaken by another, a worker that was killed may have left copies for it. */
  private async lookForHalves(watch: Watch, actions: readonly PendingAction[]): Promise<void> {
    const overtaken = overtakenFolders(actions);
    if (overtaken.size === 0 || (await watch.source.get()).capabilities.move) return;
    for (const folder of await this.folders.list(watch.account.id)) {
      if (overtaken.has(folder.id)) await this.look(watch, folder);
    }
  }

  private async carryOut(watch: Watch, plan: EffectsPlan, tried: ReadonlySet<string>): Promise<Outcome> {
    const trouble = () => ({ missing: new Set<string>(), refused: new Map<string, ProviderError>() });
    const outcome: Outcome = { flags: new Map(), moved: [], storing: trouble(), moving: trouble() };
    const folders = new Map((await this.folders.list(watch.account.id)).map((folder) => [folder.id, folder]));
    for (const effect of plan.stores) {
      await attempt(effect.places, outcome.storing, () => this.setFlags(watch, folders, effect, outcome));
    }
    for (const effect of plan.moves) {
      const [there, lost] = split(effect.places, ({ messageId }) => !outcome.storing.missing.has(messageId));
      for (const { messageId } of lost) outcome.moving.missing.add(messageId);
      const halves = there.filter(({ messageId }) => tried.has(messageId));
      const move = { ...effect, places: there, halves };
      await attempt(there, outcome.moving, () => this.move(watch, folders, move, outcome));
    }
    return outcome;
  }

  private async setFlags(
    { source }: Watch,
    folders: ReadonlyMap<string, StoredFolder>,
    { folderId, change, places }: StoreEffect,
    outcome: Outcome,
  ): Promise<void> {
    const folder = mustHave(folders, folderId);
    const driver = await source.get();
    const found = await driver.store(
      numbered(folder),
      places.map(({ uid }) => uid),
      change,
    );
    const known = outcome.flags.get(folderId) ?? [];
    outcome.flags.set(folderId, known);
    for (const { uid, messageId } of places) {
      const flags = found.get(uid);
      if (flags) known.push({ uid, flags });
      else outcome.storing.missing.add(messageId);
    }
  }

  private async move(
    watch: Watch,
    folders: ReadonlyMap<string, StoredFolder>,
    { folderId, targetId, places, halves }: MoveEffect & { readonly halves: readonly Place[] },
    outcome: Outcome,
  ): Promise<void> {
    const [from, to] = [mustHave(folders, folderId), mustHave(folders, targetId)];
    const driver = await watch.source.get();
    // A worker that was killed between copying and removing has left copies there and the originals here; and so has
    // Dovecot when it refused to move them because their new folder was renamed meanwhile.
    const copied = await this.foundIn(watch, to, driver.capabilities.move ? halves : places);
    const [left, going] = split(places, ({ messageId }) => copied.has(messageId));
    if (left.length > 0) await driver.remove(numbered(from), left.map(uidOf));
    const told =
      going.length > 0 ? await driver.move(numbered(from), going.map(uidOf), to.path) : new Map<number, NewPlace>();
    const uidValidity = to.cursor?.uidValidity;
    const known = going.every(({ uid }) => told.get(uid)?.uidValidity === uidValidity && uidValidity !== undefined);
    // They are found in their new folder before they leave the old one here: a move is one change.
    const found = known ? copied : await this.foundIn(watch, to, places);
    for (const { uid, messageId } of places) {
      const place = told.get(uid);
      if (!place && !found.has(messageId)) outcome.moving.missing.add(messageId);
      else {
        const { uid: targetUid = null, uidValidity: era = null } = place ?? {};
        outcome.moved.push({ folderId, uid, targetId, targetUid, uidValidity: era });
      }
    }
  }

  /** Looks at a folder. @returns those of these messages that are in it */
  private async foundIn(watch: Watch, { id: folderId }: StoredFolder, places: readonly Place[]): Promise<Set<string>> {
    if (places.length === 0) return new Set();
    const { id: accountId } = watch.account;
    const folder = (await this.folders.list(accountId)).find(({ id }) => id === folderId);
    // What was there at an earlier look proves nothing.
    if (!folder || !(await this.look(watch, folder))) return new Set();
    const ids = places.map(({ messageId }) => messageId);
    const now = await this.store.places(accountId, ids);
    return new Set(now.filter((place) => place.folderId === folderId).map(({ messageId }) => messageId));
  }

  /** @returns whether it could be read */
  private async look(watch: Watch, folder: StoredFolder): Promise<boolean> {
    return this.visits.visit(watch, folder, folder.cursor === null ? 'full' : 'recent');
  }
}

/** Into which messages were to go that are to go elsewhere by now. */
function overtakenFolders(actions: readonly PendingAction[]): Set<string> {
  const last = new Map<string, string>();
  const overtaken = new Set<string>();
  for (const { objectId, folderId } of actions) {
    if (folderId === null) continue;
    const before = last.get(objectId);
    if (before !== undefined && before !== folderId) overtaken.add(before);
    last.set(objectId, folderId);
  }
  return overtaken;
}

const uidOf = ({ uid }: Place): number => uid;

function lookSoon(watch: Watch): void {
  watch.roundAt = Math.min(watch.roundAt, Date.now());
}

function split<T>(items: readonly T[], passes: (item: T) => boolean): [T[], T[]] {
  return [items.filter(passes), items.filter((item) => !passes(item))];
}

/** What the server refuses for a reason of this folder is noted; other errors are the account's. */
async function attempt(
  places: readonly Place[],
  { refused: refusals, missing }: Trouble,
  work: () => Promise<void>,
): Promise<void> {
  if (places.length === 0) return;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
    for (const { messageId } of places) {
      // The folder was renumbered: the next look at it tells where they are.
      if (error.kind === 'cursor-expired') missing.add(messageId);
      else refusals.set(messageId, error);
    }
  }
}

type Verdict = 'done' | 'missing' | ProviderError;

/** Of what the action wishes itself: the flags of a message that cannot be moved may be changed all the same. */
function verdictOf(action: PendingAction, { storing, moving }: Outcome): Verdict {
  const { objectId, unread, starred, folderId } = action;
  const troubles = [...((unread ?? starred) === null ? [] : [storing]), ...(folderId === null ? [] : [moving])];
  const refusal = troubles.flatMap(({ refused: refusals }) => refusals.get(objectId) ?? [])[0];
  if (refusal) return refusal;
  return troubles.some(({ missing }) => missing.has(objectId)) ? 'missing' : 'done';
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
  const groups = new Map<Verdict, PendingAction[]>();
  for (const action of actions) {
    const verdict = verdictOf(action, outcome);
    const group = groups.get(verdict);
    if (group) group.push(action);
    else groups.set(verdict, [action]);
  }
  for (const [verdict, those] of groups) {
    if (verdict === 'missing') await notFound(tx, those);
    else if (verdict !== 'done') await refused(tx, those, verdict);
  }
  const done = groups.get('done') ?? [];
  await settle(
    tx,
    done.map(({ id }) => id),
    'successful',
  );
  const touched = await touchMessages(tx, [...new Set(actions.map(({ objectId }) => objectId))]);
  await touchThreads(tx, touched);
}
