import type { Participant } from '#libs/common/participants.js';

/** What a caller says of a draft; absent: nothing said. */
export interface DraftFields {
  readonly subject?: string;
  /** HTML. */
  readonly body?: string;
  readonly to?: readonly Participant[];
  readonly cc?: readonly Participant[];
  readonly bcc?: readonly Participant[];
  readonly from?: readonly Participant[];
  readonly replyTo?: readonly Participant[];
  readonly threadId?: string;
  readonly replyToMessageId?: string;
  /** All the files it is to have. */
  readonly fileIds?: readonly string[];
}

/** A draft as it stands in the database. */
export interface DraftRow {
  readonly id: string;
  readonly threadId: string;
  readonly version: number;
  readonly subject: string;
  readonly body: string;
  readonly from: readonly Participant[];
  readonly to: readonly Participant[];
  readonly cc: readonly Participant[];
  readonly bcc: readonly Participant[];
  readonly replyTo: readonly Participant[];
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly receivedAt: Date;
  readonly draft: boolean;
  readonly madeHere: boolean;
}
