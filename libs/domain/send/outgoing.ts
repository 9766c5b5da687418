import type { Letter } from '#libs/mime/build-message.js';
import type { ParsedFile } from '#libs/mime/parsed-message.js';

/** A file of a message on its way, with its bytes in the blob store. */
export interface OutgoingAttachment {
  readonly id: string;
  readonly blobKey: string;
}

/** What is sent, when it is no draft: kept with the request until it is settled. */
export interface OutgoingContent extends Letter {
  readonly id: string;
  /** Null when its references are still to tell. */
  readonly threadId: string | null;
  readonly files: readonly OutgoingAttachment[];
  /** A message that the caller wrote as it is: its bytes in the blob store, and the files in it. */
  readonly raw?: { readonly blobKey: string; readonly files: readonly ParsedFile[] };
}

export interface SendOutcome {
  readonly messageId: string;
  /** Recipients that were refused while others were not, with reply code and text. */
  readonly failures: Readonly<Record<string, readonly [number, string]>>;
}
