import { headerHashOf } from '#libs/mime/parse-message.js';
import type { MessageBytes } from '#libs/mime/message-bytes.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { NewPlace } from '#libs/providers/contracts/mail-writer.js';

import { messageIdentity } from '../mail/identity.js';

import type { StoredDraft } from './draft-store.js';

/** A header ends before this, or is none. */
const HEADER_BYTES = 1_048_576;

/**
 * What the copy of a message written here would be known by had it been read, so that it is known wherever other mail
 * programs take it. Only a server with OBJECTID is asked: its ids cannot be told beforehand.
 */
export async function copyIdentity(
  driver: MailDriver,
  path: string,
  place: NewPlace | null,
  message: Pick<StoredDraft, 'messageIdHeader' | 'receivedAt'>,
  bytes: MessageBytes,
): Promise<string> {
  let emailId: string | null = null;
  if (driver.capabilities.objectId && place) {
    const limits = { wholeSourceBytes: 0, maxTextBytes: 0 };
    for await (const read of driver.messages(path, [place.uid], limits)) emailId = read.emailId;
  }
  const { messageIdHeader, receivedAt } = message;
  const headerHash = headerHashOf(await headerOf(bytes));
  return messageIdentity({ emailId, messageIdHeader, size: bytes.size, receivedAt, headerHash });
}

async function headerOf({ open }: MessageBytes): Promise<Buffer> {
  let header = Buffer.alloc(0);
  for await (const chunk of open()) {
    header = Buffer.concat([header, chunk as Buffer]);
    if (header.includes('\r\n\r\n') || header.length > HEADER_BYTES) break;
  }
  return header;
}
