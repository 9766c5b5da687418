import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/common/errors.js';
import { ProviderFinds, type SearchedFolder } from '#libs/domain/search/provider-finds.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';
import type { RemoteReply, RemoteRequest } from '#libs/queues/remote-call-catalogue.js';

import type { WarmConnections } from './warm-connections.js';

/** With Gmail's search one folder has all mail but for these. */
const EVERYTHING = new Set(['all', 'trash', 'spam']);

/** Asks the mail server what it finds, folder by folder, on one connection. */
@Injectable()
export class ProviderSearch {
  constructor(private readonly finds: ProviderFinds) {}

  /** @throws ProviderError; DomainError when the server can search none of the folders */
  async run(
    warm: WarmConnections,
    { accountId, q, what, limit, offset }: RemoteRequest<'mail.search'>,
  ): Promise<RemoteReply<'mail.search'>> {
    const folders = await this.finds.folders(accountId);
    const found = await warm.use(accountId, (driver) => this.inFolders(driver, accountId, folders, q));
    return { ids: await this.finds.page(accountId, [...found], what, { limit, offset }) };
  }

  private async inFolders(
    driver: MailDriver,
    accountId: string,
    folders: readonly SearchedFolder[],
    q: string,
  ): Promise<Set<string>> {
    const searched = toSearch(driver, folders);
    const found = new Set<string>();
    let failed = 0;
    for (const { id, path } of searched) {
      try {
        const uids = await driver.search(path, q);
        for (const messageId of await this.finds.messagesAt(accountId, id, uids)) found.add(messageId);
      } catch (error) {
        // One folder that cannot be opened does not hide what the others have.
        if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
        failed += 1;
      }
    }
    if (failed > 0 && failed === searched.length) {
      throw new DomainError(422, 'provider_error', 'The email server refuses to search.');
    }
    return found;
  }
}

function toSearch(driver: MailDriver, folders: readonly SearchedFolder[]): readonly SearchedFolder[] {
  const hasAll = driver.capabilities.gmailSearch && folders.some(({ role }) => role === 'all');
  return hasAll ? folders.filter(({ role }) => role !== null && EVERYTHING.has(role)) : folders;
}
