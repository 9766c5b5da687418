import { Inject, Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { hash64Sql } from '#libs/common/hash.js';
import { Logger } from '#libs/common/logger.js';
import { Reader } from '#libs/database/reader.js';
import type { OutgoingContent } from '#libs/domain/send/outgoing.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';

import { AccountLog } from '../account-log.js';

import { filesItself } from './self-filing.js';
import { LOOK_MINUTES } from './send-failure.js';
import { settleSend } from './send-store.js';
import { becomeSent } from './sent-message.js';

interface Found {
  readonly accountId: string;
  readonly id: string;
}

interface UnknownSend {
  readonly messageId: string;
  readonly content: OutgoingContent | null;
  readonly provider: string;
}

/** A message of the account under the Message-ID that was sent. */
interface Copy {
  readonly messageId: string;
  readonly threadId: string;
  readonly inSent: boolean;
}

/**
 * Messages in which what was sent is recognized: those that lie somewhere under its Message-ID, and are not the draft.
 * A draft has the same one, and may have been thrown away, so neither drafts nor what is in the trash say anything; what
 * the caller chose itself may have been used before, so nothing older than the request does.
 */
const COPIES = `
  SELECT copy.id AS "messageId", copy.thread_id AS "threadId", bool_or(folder.role IS NOT DISTINCT FROM 'sent') AS "inSent"
  FROM (
    SELECT id, thread_id FROM messages WHERE account_id = send.account_id AND id = send.message_id
      AND message_id_header = send.message_id_header
    UNION
    SELECT other.id, other.thread_id FROM thread_refs link
      JOIN messages other ON other.account_id = send.account_id AND other.thread_id = link.thread_id
        AND other.message_id_header = send.message_id_header
        AND other.received_at > send.created_at - interval '10 minutes'
    WHERE link.account_id = send.account_id AND link.ref = ${hash64Sql('send.message_id_header')}
  ) AS copy
  JOIN message_uids place ON place.account_id = send.account_id AND place.message_id = copy.id
    AND place.uid > 0 AND '\\Draft' <> ALL(place.flags)
  JOIN categories folder ON folder.account_id = send.account_id AND folder.id = place.folder_id
    AND folder.role IS DISTINCT FROM 'drafts' AND folder.role IS DISTINCT FROM 'trash'
  GROUP BY copy.id, copy.thread_id`;

const LOOKED_FOR = `A message that may have been sent did not turn up in the mailbox within ${LOOK_MINUTES} minutes. It was not sent again.`;

/** Learns from an account's own mail what became of messages that its server may have taken. Nothing is sent again. */
@Injectable()
export class UnknownSends {
  constructor(
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
    private readonly log: AccountLog,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** Settles those whose copy is there, and says of which no more is expected; a copy that comes later counts still. */
  async look(): Promise<void> {
    for (const { accountId, id } of await this.found()) {
      // One that cannot be settled keeps nobody from the others, and is looked at again.
      await this.writer
        .write(accountId, (tx) => settleFound(tx, id))
        .catch((error: unknown) => this.logger.error({ err: error, accountId, sendId: id }, 'a send was not settled'));
    }
    for (const { accountId, id } of await this.overdue()) {
      const details = { sendId: id };
      await this.log.add(accountId, { level: 'error', kind: 'send.lost', message: LOOKED_FOR, details });
    }
  }

  private found(): Promise<Found[]> {
    return this.reader.rows(
      `SELECT send.account_id AS "accountId", send.id FROM sends send
       WHERE send.state = 'unknown' AND EXISTS (${COPIES}) LIMIT 100`,
      [],
      'found-sends',
    );
  }

  private overdue(): Promise<Found[]> {
    return this.reader.rows(
      `UPDATE sends SET settled_at = now() WHERE state = 'unknown' AND settled_at IS NULL AND look_until < now()
       RETURNING account_id AS "accountId", id`,
      [],
      'overdue-sends',
    );
  }
}

async function settleFound(tx: Tx, id: string): Promise<void> {
  const [send] = await tx.query<UnknownSend>(
    `SELECT message_id AS "messageId", content, provider FROM sends JOIN accounts ON accounts.id = account_id
     WHERE account_id = $1 AND sends.id = $2`,
    [tx.accountId, id],
  );
  const copies = await tx.query<Copy>(
    `SELECT found.* FROM sends send, LATERAL (${COPIES}) AS found WHERE send.account_id = $1 AND send.id = $2
     ORDER BY found."inSent" DESC, found."messageId" LIMIT 1`,
    [tx.accountId, id],
  );
  const [copy] = copies;
  if (!send || !copy || (await settleSend(tx, id, {})) === null) return;
  const messageId = await takeOver(tx, send, copy);
  await tx.query('UPDATE sends SET message_id = $3 WHERE account_id = $1 AND id = $2', [tx.accountId, id, messageId]);
  const message = 'A message of which nobody knew whether it had been sent was sent: it is in the mailbox.';
  await noteEvents(tx, [{ level: 'info', kind: 'send.settled', message, details: { sendId: id, messageId } }]);
}

/** The draft becomes what was sent, or the request does when nothing in the folder of sent mail is it. @returns its id */
async function takeOver(tx: Tx, { messageId, content, provider }: UnknownSend, copy: Copy): Promise<string> {
  if (content && copy.inSent && copy.messageId !== messageId) return copy.messageId;
  const [row] = await tx.query<{ draft: boolean }>('SELECT draft FROM messages WHERE account_id = $1 AND id = $2', [
    tx.accountId,
    messageId,
  ]);
  if (!content && !row?.draft) return copy.messageId;
  const joining = content && { ...content, threadId: copy.threadId };
  await becomeSent(tx, messageId, joining, { saveCopy: !copy.inSent && !filesItself(provider) });
  // As its copies are flagged, when it has any.
  await touchThreads(tx, await touchMessages(tx, [messageId]));
  return messageId;
}
