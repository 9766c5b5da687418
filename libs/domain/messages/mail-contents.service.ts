import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { DomainError } from '#libs/common/errors.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { FilesService } from '../files/files.service.js';

import { MessagesService } from './messages.service.js';

export interface Content {
  readonly stream: Readable;
  /** Bytes. */
  readonly size: number;
}

export interface FileContent extends Content {
  readonly filename: string | null;
  readonly contentType: string;
}

/** Raw messages and attachments. Their bytes live at the provider: the worker fetches them, we stream the blob. */
@Injectable()
export class MailContents {
  constructor(
    private readonly messages: MessagesService,
    private readonly files: FilesService,
    private readonly remote: RemoteCalls,
    private readonly blobs: BlobStore,
  ) {}

  /**
   * The message as its server has it.
   *
   * @throws NotFound when the account has no such message, DomainError 404, 503 or 504 when it cannot be fetched.
   */
  async source(account: AccountRef, messageId: string): Promise<Content> {
    await this.messages.mustExist(account, messageId);
    const { blobKey } = await this.remote.call('message.source', { accountId: account.id, messageId });
    return this.opened(blobKey);
  }

  /**
   * A file, transfer encoding undone.
   *
   * @throws NotFound when the account has no such file, DomainError 404, 503 or 504 when it cannot be fetched.
   */
  async file(account: AccountRef, fileId: string): Promise<FileContent> {
    const { blob_key: known, filename, content_type: contentType } = await this.files.find(account, fileId);
    const stored = known === null ? null : await this.blobs.open(known);
    return { ...(stored ?? (await this.fetched(account, fileId))), filename, contentType };
  }

  /**
   * Fetches a file if need be. @returns its key in the blob store
   * @throws as `file`
   */
  async blobOf(account: AccountRef, fileId: string): Promise<string> {
    const { blob_key: known } = await this.files.find(account, fileId);
    const stored = known === null ? null : await this.blobs.open(known);
    stored?.stream.destroy();
    if (stored && known !== null) return known;
    return (await this.remote.call('file.content', { accountId: account.id, fileId })).blobKey;
  }

  private async fetched(account: AccountRef, fileId: string): Promise<Content> {
    const { blobKey } = await this.remote.call('file.content', { accountId: account.id, fileId });
    return this.opened(blobKey);
  }

  private async opened(blobKey: string): Promise<Content> {
    const blob = await this.blobs.open(blobKey);
    if (!blob) throw new DomainError(503, 'api_error', 'The data is not ready. Please try again in a few minutes.');
    return blob;
  }
}

/** All of it in memory, for the few answers that need it as one text. */
export async function asBase64({ stream }: Content): Promise<string> {
  return (await buffer(stream)).toString('base64');
}
