import type { Tx } from '#libs/changes/account-writer.js';
import { InvalidRequest } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';

import type { DraftFields, DraftRow } from './draft-fields.js';

/** Where a draft belongs: its thread, and the headers that tell other mail programs so. */
export interface ReplyTarget extends Pick<DraftRow, 'threadId' | 'inReplyTo' | 'references'> {
  /** Of what is answered; a reply that says no subject takes it. */
  readonly subject: string;
}

interface Answered {
  readonly thread_id: string;
  readonly subject: string;
  readonly message_id_header: string | null;
  readonly references: readonly string[];
}

const COLUMNS = 'thread_id, subject, message_id_header, "references"';
const MOST_REFERENCES = 100;

/** @throws InvalidRequest when there is no such message or thread, or one is not in the other */
export async function replyTarget(tx: Tx, fields: DraftFields): Promise<ReplyTarget> {
  const { threadId, replyToMessageId: messageId } = fields;
  if (messageId !== undefined) {
    const [message] = await tx.query<Answered>(
      `SELECT ${COLUMNS} FROM messages WHERE account_id = $1 AND id = $2 AND NOT draft`,
      [tx.accountId, messageId],
    );
    if (!message) throw new InvalidRequest(`Invalid message public id ${messageId} (reply_to_message_id)`);
    if (threadId !== undefined && threadId !== message.thread_id) {
      throw new InvalidRequest(`Message ${messageId} is not in thread ${threadId}`);
    }
    return answering(message);
  }
  if (threadId === undefined) return { threadId: newId(), inReplyTo: null, references: [], subject: '' };
  const [thread] = await tx.query<{ subject: string }>(
    'SELECT subject FROM threads WHERE account_id = $1 AND id = $2',
    [tx.accountId, threadId],
  );
  if (!thread) throw new InvalidRequest(`Invalid thread public id ${threadId} (thread_id)`);
  const [last] = await tx.query<Answered>(
    `SELECT ${COLUMNS} FROM messages WHERE account_id = $1 AND thread_id = $2 AND NOT draft
     ORDER BY received_at DESC, id DESC LIMIT 1`,
    [tx.accountId, threadId],
  );
  return last ? answering(last) : { threadId, inReplyTo: null, references: [], subject: thread.subject };
}

/** RFC 5322 3.6.4. Of a long chain the first is kept, and the last ones. */
function answering(message: Answered): ReplyTarget {
  const { thread_id: threadId, message_id_header: header, subject } = message;
  const chain = header === null ? message.references : [...message.references.filter((id) => id !== header), header];
  const references = chain.length > MOST_REFERENCES ? [chain[0]!, ...chain.slice(1 - MOST_REFERENCES)] : chain;
  return { threadId, inReplyTo: header, references, subject };
}
