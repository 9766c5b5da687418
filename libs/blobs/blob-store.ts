import type { Readable } from 'node:stream';

/** A stored blob: the hex sha-256 of its bytes, and how many there are. */
export interface BlobRef {
  readonly key: string;
  readonly size: number;
}

/** Content-addressed bytes: raw messages, fetched attachments, uploads. The same bytes are kept once. */
export abstract class BlobStore {
  /** Stores everything the stream gives, or nothing: a stream that fails leaves no blob. Stored means on disk. */
  abstract put(stream: NodeJS.ReadableStream): Promise<BlobRef>;

  /** The caller reads the stream to its end or destroys it. Null when the blob has expired or never was. */
  abstract open(key: string): Promise<{ readonly stream: Readable; readonly size: number } | null>;

  /**
   * Removes blobs that were last put more than `days` ago, but those still needed.
   * @param needed which of these keys are; asked for many at a time
   * @returns how many
   */
  abstract removeOlderThan(
    days: number,
    needed: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<number>;
}
