import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Conflict, InvalidRequest, NotFound } from '#libs/common/errors.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { type MessageWish, queueActions } from '../actions/actions.js';

import { kindOf, touchMessages, touchThreads } from './touch-mail.js';

/** A message as far as it matters to who changes it. */
export interface ChangeableMessage {
  readonly id: string;
  readonly threadId: string;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly draft: boolean;
  readonly sent: boolean;
  readonly folderIds: readonly string[];
  /** It is on its way from one folder to another: no uid tells of it now. */
  readonly homeless: boolean;
}

const COLUMNS = `id, thread_id AS "threadId", unread, starred, draft, sent, category_ids AS "folderIds",
  orphaned_at IS NOT NULL AS homeless`;

/** Flags and places of messages, as users change them: shown at once, then written to the provider. */
@Injectable()
export class MailUpdates {
  constructor(private readonly writer: AccountWriter) {}

  /** @throws NotFound when there is no such message; InvalidRequest when there is no such folder, or it is a draft's */
  async updateMessage(account: AccountRef, id: string, wish: MessageWish): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const [message] = await tx.query<ChangeableMessage>(
        `SELECT ${COLUMNS} FROM messages WHERE account_id = $1 AND id = $2`,
        [account.id, id],
      );
      if (!message) throw new NotFound('message', id);
      await mustHaveFolder(tx, wish.folderId);
      // Elsewhere it would be no draft any more to other mail programs, and to us.
      if (message.draft && wish.folderId !== undefined && !message.folderIds.includes(wish.folderId)) {
        throw new InvalidRequest('The folder of a draft cannot be changed (folder_id)');
      }
      await wishFor(tx, [{ message, wish }]);
    });
  }
}

/** Messages of a thread that go where the thread goes. */
export function movable(messages: readonly ChangeableMessage[]): ChangeableMessage[] {
  const letters = messages.filter((message) => !message.draft);
  const received = letters.filter((message) => !message.sent);
  return received.length > 0 ? received : letters;
}

/**
 * The thread's messages without drafts, oldest first.
 * @throws NotFound when there is no such thread; Conflict when `version` is given and another
 */
export async function messagesOfThread(tx: Tx, id: string, version?: number): Promise<ChangeableMessage[]> {
  const [thread] = await tx.query<{ version: number }>(
    'SELECT version FROM threads WHERE account_id = $1 AND id = $2',
    [tx.accountId, id],
  );
  if (!thread) throw new NotFound('thread', id);
  if (version !== undefined && version !== thread.version) {
    throw new Conflict(`Thread ${id} has been updated to version ${thread.version}`);
  }
  return tx.query<ChangeableMessage>(
    `SELECT ${COLUMNS} FROM messages WHERE account_id = $1 AND thread_id = $2 AND NOT draft ORDER BY received_at, id`,
    [tx.accountId, id],
  );
}

/** Queues what differs from how the messages are, and shows it. Who reads a message has been shown its thread. */
export async function wishFor(
  tx: Tx,
  wishes: readonly { readonly message: ChangeableMessage; readonly wish: MessageWish }[],
  seen: readonly string[] = [],
): Promise<void> {
  const actions = wishes
    .map(({ message, wish }) => ({ kind: 'message.update', objectId: message.id, ...news(message, wish) }) as const)
    .filter(({ unread, starred, folderId }) => (unread ?? starred ?? folderId) !== undefined);
  await queueActions(tx, actions);
  const ids = actions.map(({ objectId }) => objectId);
  for (const { message, wish } of wishes) if (message.homeless) await show(tx, message, wish);
  const read = wishes.filter(({ wish }) => wish.unread === false).map(({ message }) => message.threadId);
  await touchThreads(tx, [...(await touchMessages(tx, ids)), ...read, ...seen], { seen: new Set([...read, ...seen]) });
}

/** Otherwise messages are recomputed from their uids; one without any is what it was, and what is wished. */
async function show(tx: Tx, { id, threadId, draft }: ChangeableMessage, wish: MessageWish): Promise<void> {
  await tx.query(
    `UPDATE messages SET unread = coalesce($3, unread), starred = coalesce($4, starred),
       category_ids = CASE WHEN $5::text IS NULL THEN category_ids ELSE ARRAY[$5] END
     WHERE account_id = $1 AND id = $2`,
    [tx.accountId, id, wish.unread ?? null, wish.starred ?? null, wish.folderId ?? null],
  );
  tx.changes.record('modify', kindOf(draft), id);
  await touchThreads(tx, [threadId]);
}

/** What of a wish is not so already. */
function news(message: ChangeableMessage, wish: MessageWish): MessageWish {
  const lies = message.folderIds.length === 1 && message.folderIds[0] === wish.folderId;
  return {
    unread: wish.unread === message.unread ? undefined : wish.unread,
    starred: wish.starred === message.starred ? undefined : wish.starred,
    folderId: lies ? undefined : wish.folderId,
  };
}

/** @throws InvalidRequest */
export async function mustHaveFolder(tx: Tx, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  const found = await tx.query(`SELECT FROM categories WHERE account_id = $1 AND id = $2 AND kind = 'folder'`, [
    tx.accountId,
    id,
  ]);
  if (found.length === 0) throw new InvalidRequest(`The folder ${id} does not exist`);
}
