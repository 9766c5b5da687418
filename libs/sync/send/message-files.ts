import { buffer } from 'node:stream/consumers';

import { Inject, Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { ByteBudget } from '#libs/common/byte-budget.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import type { OutgoingFile } from '#libs/mime/build-message.js';
import { allBytes, lazily, type MessageBytes } from '#libs/mime/message-bytes.js';

/** Files up to so many bytes are read at once. */
const SMALL = 262_144;
/** So many bytes of messages are in memory at a time, where a whole one is needed. */
const MOST_HELD = 67_108_864;

export type FileFacts = Omit<OutgoingFile, 'size' | 'content'>;

/** What goes into messages, and whole messages, from the blob store. */
@Injectable()
export class MessageFiles {
  private readonly budget = new ByteBudget(MOST_HELD);

  constructor(@Inject(BlobStore) private readonly blobs: BlobStore) {}

  /** Null when the blob has expired. */
  async file(facts: FileFacts, blobKey: string): Promise<OutgoingFile | null> {
    const bytes = await this.bytes(blobKey);
    if (!bytes) return null;
    const { size, open } = bytes;
    if (size > SMALL) return { ...facts, size, content: open };
    const content = await buffer(open());
    return { ...facts, size, content: () => content };
  }

  /** Null when the blob has expired. */
  async bytes(blobKey: string): Promise<MessageBytes | null> {
    const blob = await this.blobs.open(blobKey);
    blob?.stream.destroy();
    return blob && { size: blob.size, open: () => lazily(() => this.opened(blobKey)) };
  }

  /** Holds all of a message while `work` lasts. */
  whole<T>(bytes: MessageBytes, work: (source: Buffer) => Promise<T>): Promise<T> {
    return this.budget.use(bytes.size, async () => work(await allBytes(bytes)));
  }

  async keep(stream: NodeJS.ReadableStream): Promise<string> {
    return (await this.blobs.put(stream)).key;
  }

  private async opened(blobKey: string) {
    const blob = await this.blobs.open(blobKey);
    if (!blob) throw new ProviderError('not-found', 'A file of the message is nowhere to be found.');
    return blob.stream;
  }
}
