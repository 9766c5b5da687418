import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { mirrors } from '#libs/domain/folders/mirrors.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { buildDraft } from '#libs/mime/build-draft.js';
import type { NewPlace } from '#libs/providers/contracts/mail-writer.js';
import { endsConnection, folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderVisits, type Watch } from '../folder-visits.js';
import { FolderStore, numbered, type StoredFolder } from '../mail/folder-store.js';
import { isOurs } from '../mail/judge-copy.js';
import { readCopies } from '../mail/read-copies.js';
import { dropUids } from '../mail/uid-changes.js';
import { MessageFiles } from '../send/message-files.js';

import { type PendingAction, settle } from './action-store.js';
import { copyIdentity } from './copy-identity.js';
import { DraftContents } from './draft-contents.js';
import { DraftStore, type StoredDraft } from './draft-store.js';
import { refused, renumbered } from './give-up.js';

const FLAGS = ['\\Draft', '\\Seen'];

/** Saves drafts in the provider's drafts folder, one copy each, and deletes them there. */
@Injectable()
export class DraftEffects {
  constructor(
    private readonly writer: AccountWriter,
    private readonly folders: FolderStore,
    private readonly drafts: DraftStore,
    private readonly contents: DraftContents,
    private readonly files: MessageFiles,
    private readonly visits: FolderVisits,
  ) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, action: PendingAction): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    try {
      const done = await (action.kind === 'draft.save' ? this.save(watch, action) : this.remove(watch, action));
      await this.writer.write(accountId, done, { epoch });
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      if (error.kind === 'cursor-expired') {
        watch.roundAt = Math.min(watch.roundAt, Date.now());
        await this.writer.write(accountId, (tx) => renumbered(tx, [action]), { epoch });
        return;
      }
      const over = await this.writer.write(accountId, (tx) => refused(tx, [action], error), { epoch });
      if (!over || action.kind !== 'draft.delete') return;
      // The provider kept the draft: it is what it was.
      await this.readAgain(watch, action, await this.folders.list(accountId));
    }
  }

  /** The new copy first, then the old ones go: at no moment is there none. @returns what is so from now on */
  private async save(watch: Watch, action: PendingAction): Promise<(tx: Tx) => Promise<void>> {
    const folders = await this.folders.list(watch.account.id);
    const home = folders.find((folder) => folder.role === 'drafts');
    const others = folders.filter(({ role }) => !mirrors.has(role));
    await this.readAgain(watch, action, others);
    const driver = await watch.source.get();
    const draft = await this.lookedFor(watch, action.objectId, home);
    // A later save is coming, another mail program has written it meanwhile, or there is nothing left to save.
    if (!draft?.draft || draft.version > (action.details?.version ?? 0)) {
      return (tx) => settle(tx, [action.id], 'successful');
    }
    if (!home) throw new ProviderError('not-found', 'The account has no drafts folder.');
    if (draft.renumbered) throw new ProviderError('cursor-expired', 'The folder of drafts was renumbered.');
    const lay = folders.flatMap((folder) => uidsIn(folder, action).map((uid) => ({ folderId: folder.id, uid })));
    const files = await this.contents.read(driver, { ...draft, places: [...draft.places, ...lay] }, folders);
    const old = [...draft.places, ...lay.filter(({ folderId }) => others.every(({ id }) => id !== folderId))];
    const key = await this.drafts.key(watch.account.id);
    const { bytes, parts } = await buildDraft({ ...draft, date: draft.receivedAt, files }, key);
    // What was stopped after it was appended is there already.
    const isHeld = ({ uid }: NewPlace) => draft.places.some((held) => held.folderId === home.id && held.uid === uid);
    const there = await driver.find(home.path, draft.messageIdHeader);
    const known = there.find(isHeld) ?? (await this.unchanged(watch, home, there))[0];
    const append = (source: Buffer) => driver.append(home.path, source, FLAGS, draft.receivedAt);
    const place = known ?? (await this.files.whole(bytes, append));
    const identity = await copyIdentity(driver, home.path, place, draft, bytes);
    for (const folder of folders) {
      const older = old.filter(({ folderId, uid }) => folderId === folder.id && !isAt(place, home, folderId, uid));
      const uids = older.map(({ uid }) => uid);
      if (uids.length > 0) await driver.remove(numbered(folder), uids);
    }
    return async (tx) => {
      // What was sent meanwhile is no draft any more, and its copy here goes with the action that follows.
      if (await this.drafts.isDraft(tx, draft.id)) {
        await this.place(tx, { ...draft, places: old }, folders, home, place);
        await this.drafts.know(tx, draft.id, identity);
        await this.drafts.setParts(tx, draft.id, parts);
      }
      await settle(tx, [action.id], 'successful');
      await touchThreads(tx, await touchMessages(tx, [draft.id]));
    };
  }

  /** The draft, after a pass has looked at copies of it that none had seen: they may have been edited elsewhere. */
  private async lookedFor(watch: Watch, id: string, home: StoredFolder | undefined): Promise<StoredDraft | null> {
    const draft = await this.drafts.find(watch.account.id, id);
    if (!draft?.draft || !home?.cursor) return draft;
    const copies = await (await watch.source.get()).find(home.path, `${id}-`);
    const known = await this.folders.uids(
      watch.account.id,
      home.id,
      copies.map(({ uid }) => uid),
    );
    if (copies.every(({ uid }) => known.has(uid))) return draft;
    await this.visits.visit(watch, home, 'recent');
    return this.drafts.find(watch.account.id, id);
  }

  private async place(
    tx: Tx,
    draft: StoredDraft,
    folders: readonly StoredFolder[],
    home: StoredFolder,
    place: NewPlace | null,
  ): Promise<void> {
    // Where the server did not tell, the next pass finds the copy, and the draft keeps its old place until then.
    if (place && place.uidValidity === home.cursor?.uidValidity) {
      await this.drafts.put(tx, draft, home.id, place.uid, FLAGS);
    }
    for (const folder of folders) {
      const gone = draft.places.filter(({ folderId, uid }) => folderId === folder.id && uid !== place?.uid);
      await dropUids(
        tx,
        folder.id,
        gone.map(({ uid }) => uid),
      );
    }
  }

  private async remove(watch: Watch, action: PendingAction): Promise<(tx: Tx) => Promise<void>> {
    const { places = [], madeHere = false } = action.details ?? {};
    const removed: { readonly folderId: string; readonly uids: number[] }[] = [];
    for (const folder of await this.folders.list(watch.account.id)) {
      const here = numbered(folder);
      const driver = await watch.source.get();
      const named = madeHere && folder.role === 'drafts' ? await driver.find(folder.path, `${action.objectId}-`) : [];
      // Nobody may have read the folder since it was numbered, or at all.
      const { uidValidity } = named[0] ?? here;
      const known = places.filter((place) => place.folderId === folder.id && place.uidValidity === uidValidity);
      const found = await this.unchanged(watch, folder, named);
      const uids = [...new Set([...known, ...found].map(({ uid }) => Number(uid)))];
      if (uids.length === 0) continue;
      await (await watch.source.get()).remove({ path: folder.path, uidValidity }, uids);
      if (uidValidity === here.uidValidity) removed.push({ folderId: folder.id, uids });
    }
    return async (tx) => {
      // A pass may have seen the copy after what it is a copy of was sent or deleted.
      for (const { folderId, uids } of removed) await dropUids(tx, folderId, uids);
      await settle(tx, [action.id], 'successful');
    };
  }

  /** Those of these that are copies of ours; what another mail program made of one is not. */
  private async unchanged(watch: Watch, folder: StoredFolder, places: readonly NewPlace[]): Promise<NewPlace[]> {
    if (places.length === 0) return [];
    const uids = places.map(({ uid }) => uid);
    const { messages } = await readCopies(watch.source, folder, uids);
    const key = await this.drafts.key(watch.account.id);
    const ours = new Set(messages.filter((message) => isOurs(message, key)).map(({ uid }) => uid));
    return places.filter(({ uid }) => ours.has(uid));
  }

  /** What was untied here when this was asked for, and lies there still. */
  private async readAgain(watch: Watch, action: PendingAction, folders: readonly StoredFolder[]): Promise<void> {
    for (const folder of folders) {
      try {
        await this.visits.readAgain(watch, folder, uidsIn(folder, action));
      } catch (error) {
        if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
        // The folder's own visit says what is wrong with it.
        if (endsConnection(error)) await watch.source.discard();
      }
    }
  }
}

/** Where the action's message lay, unless the folder was renumbered since. */
function uidsIn(folder: StoredFolder, { details }: PendingAction): number[] {
  const { uidValidity } = numbered(folder);
  const here = details?.places?.filter((place) => place.folderId === folder.id && place.uidValidity === uidValidity);
  return here?.map(({ uid }) => Number(uid)) ?? [];
}

const isAt = (place: NewPlace | null, home: StoredFolder, folderId: string, uid: number): boolean =>
  folderId === home.id && uid === place?.uid;
