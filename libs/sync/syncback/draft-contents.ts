import { buffer } from 'node:stream/consumers';

import { Inject, Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import type { OutgoingFile } from '#libs/mime/build-message.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { StoredFolder } from '../mail/folder-store.js';

import type { DraftFile, StoredDraft } from './draft-store.js';

/** The bytes of what is attached to messages written here: from the blob store, else from the message's last copy. */
@Injectable()
export class DraftContents {
  constructor(@Inject(BlobStore) private readonly blobs: BlobStore) {}

  /** @throws ProviderError `not-found` for a file that is nowhere any more */
  async read(driver: MailDriver, draft: StoredDraft, folders: readonly StoredFolder[]): Promise<OutgoingFile[]> {
    const files: OutgoingFile[] = [];
    // One after the other: a session does one thing at a time.
    for (const file of draft.files) files.push({ ...file, content: await this.bytes(driver, draft, folders, file) });
    return files;
  }

  /** @throws ProviderError `not-found` when it has expired */
  async blob(key: string): Promise<Buffer> {
    const blob = await this.blobs.open(key);
    if (!blob) throw new ProviderError('not-found', 'The message as it was sent is nowhere to be found.');
    return buffer(blob.stream);
  }

  private async bytes(
    driver: MailDriver,
    draft: StoredDraft,
    folders: readonly StoredFolder[],
    file: DraftFile,
  ): Promise<Buffer> {
    const blob = file.blobKey === null ? null : await this.blobs.open(file.blobKey);
    if (blob) return buffer(blob.stream);
    for (const { folderId, uid } of draft.places) {
      const path = folders.find(({ id }) => id === folderId)?.path;
      if (path !== undefined && file.part !== null) return buffer(await driver.part(path, uid, file.part));
    }
    throw new ProviderError('not-found', `A file of the message is nowhere to be found (${file.id}).`);
  }
}
