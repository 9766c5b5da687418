import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderStore } from './folder-store.js';
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
    for (const id of await this.folders.ofCopies(account.id, folderId, identities)) {
      if (looked.has(id)) continue;
      looked.add(id);
      try {
        await this.look(account, id, source);
      } catch (error) {
        if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
        // The folder's own visit says what is wrong with it.
        if (error.kind === 'hostile') await source.discard();
      }
    }
  }

  private async look(account: HeldAccount, folderId: string, source: DriverSource): Promise<void> {
    const folder = (await this.folders.list(account.id)).find(({ id }) => id === folderId);
    if (!folder?.cursor) return;
    const driver = await source.get();
    const facts = await collectFacts(driver.changes(folder.path, folder.cursor, 'recent'));
    if (facts.reset) return;
    const known = await this.folders.uids(account.id, folderId, facts.listing ? null : [...facts.vanished]);
    const { drop } = planFolder(facts, known, []);
    if (drop.length === 0) return;
    await this.writer.write(account.id, (tx) => dropUids(tx, folderId, drop), { epoch: account.epoch });
  }
}
