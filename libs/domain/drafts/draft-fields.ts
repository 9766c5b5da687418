import type { Participant } from '#libs/common/participants.js';
import type { Letter } from '#libs/mime/build-message.js';

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
export interface DraftRow extends Omit<Letter, 'messageIdHeader'> {
  readonly id: string;
  readonly messageIdHeader: string | null;
  readonly threadId: string;
  readonly version: number;
  readonly receivedAt: Date;
  readonly draft: boolean;
  readonly madeHere: boolean;
}
