import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { Watch } from '../folder-visits.js';
import { FolderStore, numbered, type StoredFolder } from '../mail/folder-store.js';
import { readMessages } from '../mail/read-messages.js';
import { dropUids } from '../mail/uid-changes.js';

import { type PendingAction, settle } from './action-store.js';
import { refused } from './give-up.js';

/** Removes copies of ours that are too many: a worker that was taken for dead saved them after another had. */
@Injectable()
export class CopyEffects {
  constructor(
    private readonly writer: AccountWriter,
    private readonly folders: FolderStore,
  ) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, action: PendingAction): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    const { places = [], twin = false } = action.details ?? {};
    try {
      const removed: [folderId: string, uids: number[]][] = [];
      for (const folder of await this.folders.list(accountId)) {
        const here = numbered(folder);
        const known = places.filter((place) => place.folderId === folder.id && place.uidValidity === here.uidValidity);
        const all = known.map(({ uid }) => Number(uid));
        const uids = twin ? await this.withTwins(watch, folder, all) : all;
        if (uids.length === 0) continue;
        await (await watch.source.get()).remove(here, uids);
        removed.push([folder.id, uids]);
      }
      await this.writer.write(
        accountId,
        async (tx) => {
          for (const [folderId, uids] of removed) await dropUids(tx, folderId, uids);
          await settle(tx, [action.id], 'successful');
        },
        { epoch },
      );
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      await this.writer.write(accountId, (tx) => refused(tx, [action], error), { epoch });
    }
  }

  /** Those of which the folder has another that is the same to the last byte of its header. */
  private async withTwins(watch: Watch, { path }: StoredFolder, uids: readonly number[]): Promise<number[]> {
    const { messages } = await readMessages(watch.source, path, uids);
    const found: number[] = [];
    for (const { uid, size, parsed } of messages) {
      const { messageIdHeader } = parsed.headers;
      if (messageIdHeader === null) continue;
      const places = await (await watch.source.get()).find(path, messageIdHeader);
      const others = places.map((place) => place.uid).filter((other) => !uids.includes(other));
      const same = (await readMessages(watch.source, path, others)).messages.some(
        (other) => other.size === size && other.parsed.headerHash === parsed.headerHash,
      );
      if (same) found.push(uid);
    }
    return found;
  }
}
