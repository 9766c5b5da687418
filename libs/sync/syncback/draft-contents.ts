import { Injectable } from '@nestjs/common';

import type { OutgoingFile } from '#libs/mime/build-message.js';
import type { MessageBytes } from '#libs/mime/message-bytes.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { StoredFolder } from '../mail/folder-store.js';
import { MessageFiles } from '../send/message-files.js';

import type { DraftFile, StoredDraft } from './draft-store.js';

/** What is attached to messages written here: from the blob store, else from the message's last copy. */
@Injectable()
export class DraftContents {
  constructor(private readonly files: MessageFiles) {}

  /** @throws ProviderError `not-found` for a file that is nowhere any more */
  async read(driver: MailDriver, draft: StoredDraft, folders: readonly StoredFolder[]): Promise<OutgoingFile[]> {
    const files: OutgoingFile[] = [];
    // One after the other: a session does one thing at a time.
    for (const file of draft.files) files.push(await this.file(driver, draft, folders, file));
    return files;
  }

  /** @throws ProviderError `not-found` when it has expired */
  async raw(blobKey: string): Promise<MessageBytes> {
    const bytes = await this.files.bytes(blobKey);
    if (!bytes) throw new ProviderError('not-found', 'The message as it was sent is nowhere to be found.');
    return bytes;
  }

  private async file(
    driver: MailDriver,
    draft: StoredDraft,
    folders: readonly StoredFolder[],
    file: DraftFile,
  ): Promise<OutgoingFile> {
    const known = file.blobKey === null ? null : await this.files.file(file, file.blobKey);
    if (known) return known;
    for (const { folderId, uid } of draft.places) {
      const path = folders.find(({ id }) => id === folderId)?.path;
      if (path === undefined || file.part === null) continue;
      const fetched = await this.files.file(file, await this.files.keep(await driver.part(path, uid, file.part)));
      if (fetched) return fetched;
    }
    throw new ProviderError('not-found', `A file of the message is nowhere to be found (${file.id}).`);
  }
}
