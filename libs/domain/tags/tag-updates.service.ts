import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Conflict, InvalidRequest, NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { CategoryRow } from '../folders/account-categories.js';
import { touchThreads } from '../messages/touch-mail.js';

import { tagsOfAccount } from './tag.view.js';

const MOST_CHARACTERS = 191;
/** Names that mean something, whether or not the account has such a tag. */
const RESERVED = new Set(['all', 'archive', 'spam', 'trash', 'sending', 'replied', 'file', 'important']);

/** The user's own tags. They live here only: no provider hears of them. */
@Injectable()
export class TagUpdates {
  constructor(private readonly writer: AccountWriter) {}

  /** @throws Conflict when the name is taken @returns the new tag's id */
  async create(account: AccountRef, given: string): Promise<string> {
    const name = given.toLowerCase();
    return this.writer.write(account.id, async (tx) => {
      mustBeFree(account, name, await categoriesOf(tx), 'Tag name not available');
      const id = newId();
      await tx.query(
        `INSERT INTO categories (account_id, id, kind, role, path, display_name) VALUES ($1, $2, 'tag', NULL, $3, $3)`,
        [account.id, id, name],
      );
      tx.changes.record('create', 'tag', id);
      return id;
    });
  }

  async rename(account: AccountRef, id: string, given: string): Promise<void> {
    const name = given.toLowerCase();
    await this.writer.write(account.id, async (tx) => {
      const categories = await categoriesOf(tx);
      const tag = ownTag(account, categories, id, `Cannot modify tag ${id}`);
      if (tag.path === name) return;
      mustBeFree(account, name, categories, 'Tag name already used');
      await tx.query('UPDATE categories SET path = $3, display_name = $3 WHERE account_id = $1 AND id = $2', [
        account.id,
        id,
        name,
      ]);
      tx.changes.record('modify', 'tag', id);
    });
  }

  /** Takes it off every thread. */
  async remove(account: AccountRef, id: string): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      ownTag(account, await categoriesOf(tx), id, 'delete non user-created tag.');
      const tagged = await tx.query<{ id: string }>(
        `UPDATE threads SET tag_ids = array_remove(tag_ids, $2) FROM thread_categories listed
         WHERE listed.account_id = $1 AND listed.category = $2
           AND threads.account_id = $1 AND threads.id = listed.thread_id RETURNING threads.id`,
        [account.id, id],
      );
      await touchThreads(
        tx,
        tagged.map((thread) => thread.id),
      );
      await tx.query('DELETE FROM categories WHERE account_id = $1 AND id = $2', [account.id, id]);
      tx.changes.record('delete', 'tag', id);
    });
  }
}

function mustBeFree(account: AccountRef, name: string, categories: readonly CategoryRow[], taken: string): void {
  const names = tagsOfAccount(account.id, categories).flatMap((tag) => [tag.id, tag.name]);
  if (RESERVED.has(name) || names.includes(name)) throw new Conflict(taken);
  if (name.length > MOST_CHARACTERS) throw new InvalidRequest('Tag name is too long.');
}

/** @throws NotFound when there is no such tag; InvalidRequest with `refusal` when it is not the user's own */
function ownTag(account: AccountRef, categories: readonly CategoryRow[], id: string, refusal: string): CategoryRow {
  const own = categories.find((row) => row.kind === 'tag' && row.id === id);
  if (own) return own;
  const known = RESERVED.has(id) || tagsOfAccount(account.id, categories).some((tag) => tag.id === id);
  throw known ? new InvalidRequest(refusal) : new NotFound('tag', id);
}

function categoriesOf(tx: Tx): Promise<CategoryRow[]> {
  return tx.query<CategoryRow>(
    'SELECT id, kind, role, path, display_name FROM categories WHERE account_id = $1 ORDER BY id',
    [tx.accountId],
  );
}
