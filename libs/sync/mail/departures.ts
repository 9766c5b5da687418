import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderStore, type StoredFolder } from './folder-store.js';
import { identityOf, type ReadMessage } from './ingest.js';
import { collectFacts, planFolder } from './plan-folder.js';
import type { DriverSource } from './read-messages.js';
import { dropUids } from './uid-changes.js';

interface HeldAccount {
  readonly id: string;
  readonly epoch: number;
}

/**
 * What arrives in a folder while a copy lies in another was moved from there, mostly. To tell a move as one change the
 * copy has to go first, whichever of the two folders we look at first.
 */
@Injectable()
export class Departures {
  constructor(
    private readonly writer: AccountWriter,
    private readonly folders: FolderStore,
  ) {}

  /**
   * Before these messages are stored in `folderId`: drops what has left the other folders they are in. Nothing else
   * that happened there is taken over, so look at those folders again afterwards.
   * @param looked folders not to look at, to which those are added that were looked at
   */
  async see(
    account: HeldAccount,
    folderId: string,
    source: DriverSource,
    messages: readonly ReadMessage[],
    looked: Set<string>,
  ): Promise<void> {
    const identities = messages.map(identityOf);
    if (identities.length === 0) return;
    const copies = await this.folders.ofCopies(account.id, folderId, identities);
    const others = copies.filter((id) => !looked.has(id));
    if (others.length === 0) return;
    const folders = (await this.folders.list(account.id)).filter(({ id }) => others.includes(id));
    for (const id of others) looked.add(id);
    for (const folder of folders) {
      try {
        await this.look(account, folder, source);
      } catch (error) {
        if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
        // The folder's own visit says what is wrong with it.
        if (error.kind === 'hostile') await source.discard();
      }
    }
  }

  private async look(account: HeldAccount, folder: StoredFolder, source: DriverSource): Promise<void> {
    if (!folder.cursor) return;
    const driver = await source.get();
    const facts = await collectFacts(driver.changes(folder.path, folder.cursor, 'recent'));
    if (facts.reset) return;
    const known = await this.folders.uids(account.id, folder.id, facts.listing ? null : [...facts.vanished]);
    const { drop } = planFolder(facts, known, []);
    if (drop.length === 0) return;
    await this.writer.write(account.id, (tx) => dropUids(tx, folder.id, drop), { epoch: account.epoch });
  }
}
