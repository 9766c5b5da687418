import { DomainError, NotFound } from '#libs/common/errors.js';
import type { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';

/**
 * Asked before anything is fetched for a message.
 * @param messageId that they are to be attached to, where there is one
 * @throws NotFound for a file that the account does not have; DomainError 413 when they are too much for one message, 403
 * for one that lies in another message, where that may not be read
 */
export async function mustFitIntoMessage(
  reader: Reader,
  account: AccountRef,
  messageId: string | null,
  fileIds: readonly string[],
  limitMb: number,
): Promise<void> {
  if (fileIds.length === 0) return;
  const files = await reader.rows<{ id: string; size: string; messageId: string | null }>(
    'SELECT id, size::text AS size, message_id AS "messageId" FROM files WHERE account_id = $1 AND id = ANY($2)',
    [account.id, fileIds],
    'files-of-message-to-be',
  );
  const known = new Set(files.map(({ id }) => id));
  const missing = fileIds.find((id) => !known.has(id));
  if (missing !== undefined) throw new NotFound('file', missing);
  const received = files.find((file) => file.messageId !== null && file.messageId !== messageId);
  if (account.uploadsOnly && received) {
    const refusal = `This access token may not read mail, and so attach uploads only: ${received.id} (file_ids)`;
    throw new DomainError(403, 'invalid_request_error', refusal);
  }
  const size = files.reduce((sum, file) => sum + Number(file.size), 0);
  if (size <= limitMb * 1_048_576) return;
  const message = `The files of a message may have at most ${limitMb} MB together (file_ids).`;
  throw new DomainError(413, 'invalid_request_error', message);
}
