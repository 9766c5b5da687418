import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { buildMessage } from '#libs/mime/build-message.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { NewPlace } from '#libs/providers/contracts/mail-writer.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { Watch } from '../folder-visits.js';
import { FolderStore, numbered, type StoredFolder } from '../mail/folder-store.js';
import { dropUids } from '../mail/uid-changes.js';
import { MessageFiles } from '../send/message-files.js';

import { type PendingAction, settle } from './action-store.js';
import { copyIdentity } from './copy-identity.js';
import { DraftContents } from './draft-contents.js';
import { DraftStore, type StoredDraft } from './draft-store.js';
import { refused } from './give-up.js';

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
  ) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, action: PendingAction): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    try {
      const done = await (action.kind === 'draft.save' ? this.save(watch, action) : this.remove(watch, action));
      await this.writer.write(accountId, done, { epoch });
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      if (error.kind === 'cursor-expired') watch.roundAt = Math.min(watch.roundAt, Date.now());
      await this.writer.write(accountId, (tx) => refused(tx, [action], error), { epoch });
    }
  }

  /** The new copy first, then the old ones go: at no moment is there none. @returns what is so from now on */
  private async save(watch: Watch, action: PendingAction): Promise<(tx: Tx) => Promise<void>> {
    const draft = await this.drafts.find(watch.account.id, action.objectId);
    const version = action.details?.version ?? 0;
    // A later save is coming, or there is nothing left to save.
    if (!draft?.draft || draft.version > version) return (tx) => settle(tx, [action.id], 'successful');
    const folders = await this.folders.list(watch.account.id);
    const home = folders.find((folder) => folder.role === 'drafts');
    if (!home) throw new ProviderError('not-found', 'The account has no drafts folder.');
    const driver = await watch.source.get();
    const files = await this.contents.read(driver, draft, folders);
    const { bytes, parts } = await buildMessage({ ...draft, date: draft.receivedAt, files }, { keepBcc: true });
    // What was stopped after it was appended is there already.
    const [known] = await driver.find(home.path, draft.messageIdHeader);
    const append = (source: Buffer) => driver.append(home.path, source, FLAGS, draft.receivedAt);
    const place = known ?? (await this.files.whole(bytes, append));
    const identity = await copyIdentity(driver, home.path, place, draft, bytes);
    await this.removeOlder(driver, draft, folders, home, place);
    return async (tx) => {
      // What was sent meanwhile is no draft any more, and its copy here goes with the action that follows.
      if (await this.drafts.isDraft(tx, draft.id)) {
        await this.place(tx, draft, folders, home, place);
        await this.drafts.know(tx, draft.id, identity);
        await this.drafts.setParts(tx, draft.id, parts);
      }
      await settle(tx, [action.id], 'successful');
      await touchThreads(tx, await touchMessages(tx, [draft.id]));
    };
  }

  private async removeOlder(
    driver: MailDriver,
    draft: StoredDraft,
    folders: readonly StoredFolder[],
    home: StoredFolder,
    place: NewPlace | null,
  ): Promise<void> {
    const older = draft.places.filter(({ folderId, uid }) => folderId !== home.id || uid !== place?.uid);
    for (const folder of folders) {
      const uids = older.filter(({ folderId }) => folderId === folder.id).map(({ uid }) => uid);
      if (uids.length > 0) await driver.remove(numbered(folder), uids);
    }
    if (!place) return;
    // Copies that no pass has seen yet.
    const ours = await driver.find(home.path, `${draft.id}-`);
    const others = ours.filter(({ uid }) => uid !== place.uid);
    const [{ uidValidity } = { uidValidity: '' }] = others;
    if (others.length > 0) {
      await driver.remove(
        { path: home.path, uidValidity },
        others.map(({ uid }) => uid),
      );
    }
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
    const driver = await watch.source.get();
    const removed: { readonly folderId: string; readonly uids: number[] }[] = [];
    for (const folder of await this.folders.list(watch.account.id)) {
      const here = numbered(folder);
      const ours = madeHere && folder.role === 'drafts' ? await driver.find(folder.path, `${action.objectId}-`) : [];
      // Nobody may have read the folder since it was numbered, or at all.
      const { uidValidity } = ours[0] ?? here;
      const known = places.filter((place) => place.folderId === folder.id && place.uidValidity === uidValidity);
      const uids = [...new Set([...known, ...ours].map(({ uid }) => Number(uid)))];
      if (uids.length === 0) continue;
      await driver.remove({ path: folder.path, uidValidity }, uids);
      if (uidValidity === here.uidValidity) removed.push({ folderId: folder.id, uids });
    }
    return async (tx) => {
      // A pass may have seen the copy after what it is a copy of was sent or deleted.
      for (const { folderId, uids } of removed) await dropUids(tx, folderId, uids);
      await settle(tx, [action.id], 'successful');
    };
  }
}
