import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { MessageWish } from '../actions/actions.js';
import type { CategoryRow } from '../folders/account-categories.js';
import { folderFor } from '../folders/folder-updates.service.js';
import {
  type ChangeableMessage,
  messagesOfThread,
  movable,
  mustHaveFolder,
  wishFor,
} from '../messages/mail-updates.service.js';
import { touchThreads } from '../messages/touch-mail.js';

import { type Destination, type Move, tagEffects, type TagEffects } from './tag-effects.js';

export interface TagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly version?: number | undefined;
}

export interface ThreadUpdate {
  readonly tags: TagChange;
  readonly wish: MessageWish;
}

/** What a folder is called that has to be made because none has the role. */
const FOLDER_NAMES: Readonly<Record<Destination, string>> = {
  inbox: 'INBOX',
  archive: 'Archive',
  spam: 'Spam',
  trash: 'Trash',
};

/** Changes threads, by tags (API v1) or as single messages are changed: flags and moves of their messages, and the user's own tags. */
@Injectable()
export class ThreadUpdates {
  constructor(private readonly writer: AccountWriter) {}

  /**
   * For every message of the thread but its drafts. Sent mail stays where it is while there is other. Where tags and `wish` ask for different things, `wish` counts.
   * @throws NotFound for an unknown thread or tag; InvalidRequest for a read-only tag or an unknown folder; Conflict for
   * another version
   */
  async update(account: AccountRef, threadId: string, { tags, wish }: ThreadUpdate): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const messages = await messagesOfThread(tx, threadId, tags.version);
      await mustHaveFolder(tx, wish.folderId);
      const categories = await tx.query<CategoryRow>(
        'SELECT id, kind, role, path, display_name FROM categories WHERE account_id = $1 ORDER BY id',
        [account.id],
      );
      const effects = tagEffects(categories, tags);
      await this.retag(tx, threadId, effects);
      const moves =
        wish.folderId === undefined
          ? await targetsOf(tx, effects.moves, messages, categories)
          : new Map(movable(messages).map(({ id }) => [id, wish.folderId]));
      const { unread = effects.unread, starred = effects.starred } = wish;
      const wishes = messages.map((message) => ({
        message,
        wish: { unread, starred, folderId: moves.get(message.id) },
      }));
      await wishFor(tx, wishes, effects.seen ? [threadId] : []);
      await touchThreads(tx, [threadId]);
    });
  }

  private async retag(tx: Tx, threadId: string, { added, removed }: TagEffects): Promise<void> {
    if (added.length + removed.length === 0) return;
    await tx.query(
      `UPDATE threads SET tag_ids = ARRAY(
         SELECT DISTINCT tag FROM unnest(tag_ids || $3::text[]) AS tag WHERE tag <> ALL($4::text[]) OR tag = ANY($3) ORDER BY tag)
       WHERE account_id = $1 AND id = $2`,
      [tx.accountId, threadId, added, removed],
    );
  }
}

/** By message, the folder it goes to. */
async function targetsOf(
  tx: Tx,
  moves: readonly Move[],
  messages: readonly ChangeableMessage[],
  categories: readonly CategoryRow[],
): Promise<Map<string, string>> {
  const roles = new Map(categories.map(({ id, role }) => [id, role]));
  const applies = (message: ChangeableMessage, { from }: Move) =>
    from === null || message.folderIds.some((id) => from.includes(roles.get(id) ?? ''));
  const targets = new Map<string, string>();
  const folders = new Map<Destination, string>();
  for (const message of movable(messages)) {
    const to = moves.findLast((move) => applies(message, move))?.to;
    if (to === undefined) continue;
    const folder = folders.get(to) ?? (await folderFor(tx, to, FOLDER_NAMES[to]));
    folders.set(to, folder);
    targets.set(message.id, folder);
  }
  return targets;
}
