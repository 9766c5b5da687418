import { Injectable } from '@nestjs/common';

import { endsConnection, folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { FolderStore, type StoredFolder } from './folder-store.js';
import { identityOf, type ReadMessage } from './ingest.js';
import { collectFacts, planFolder } from './plan-folder.js';
import type { DriverSource } from './read-messages.js';

/** What has left a folder. */
export interface Departed {
  readonly folderId: string;
  readonly uids: readonly number[];
  /** Of a renumbered folder: it has been read to its end, so what was not found again under its new number is gone. */
  readonly voids: boolean;
}

/**
 * What arrives in a folder while a copy lies in another was moved from there, mostly. To tell a move as one change the
 * copy has to go in the same transaction, whichever of the two folders we look at first.
 */
@Injectable()
export class Departures {
  constructor(private readonly folders: FolderStore) {}

  /**
   * What has left the other folders that these messages are in, to be untied when they are stored in `folderId`.
   * Nothing else that happened there is said, so look at those folders again afterwards.
   * @param looked folders not to look at, to which those are added that were looked at
   */
  async find(
    accountId: string,
    folderId: string,
    source: DriverSource,
    messages: readonly ReadMessage[],
    looked: Set<string>,
  ): Promise<Departed[]> {
    const identities = messages.map(identityOf);
    if (identities.length === 0) return [];
    const copies = await this.folders.ofCopies(accountId, folderId, identities);
    const others = copies.filter((id) => !looked.has(id));
    if (others.length === 0) return [];
    const folders = (await this.folders.list(accountId)).filter(({ id }) => others.includes(id));
    const departed: Departed[] = [];
    for (const id of others) looked.add(id);
    for (const folder of folders) {
      try {
        const found = await this.look(accountId, folder, source);
        if (found) departed.push(found);
      } catch (error) {
        if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
        // The folder's own visit says what is wrong with it.
        if (endsConnection(error)) await source.discard();
      }
    }
    return departed;
  }

  private async look(accountId: string, folder: StoredFolder, source: DriverSource): Promise<Departed | null> {
    if (!folder.cursor) return null;
    const driver = await source.get();
    const facts = await collectFacts(driver.changes(folder.path, folder.cursor, 'recent'));
    if (facts.reset) return null;
    const known = await this.folders.uids(accountId, folder.id, facts.listing ? null : [...facts.vanished]);
    const { drop } = planFolder(facts, known, []);
    const voids = folder.sweptAt === null && !folder.pending;
    return drop.length > 0 || voids ? { folderId: folder.id, uids: drop, voids } : null;
  }
}
