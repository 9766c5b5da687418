import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { CategoryDirectory } from '../folders/category-directory.js';
import type { Page } from '../messages/mail-filter.js';

import { type TagDetailView, tagsOfAccount, type TagView } from './tag.view.js';

export interface TagFilter {
  readonly name?: string;
  readonly id?: string;
}

/** Folders and states of threads as API v1 shows them. */
@Injectable()
export class TagsService {
  constructor(
    private readonly reader: Reader,
    private readonly directory: CategoryDirectory,
  ) {}

  async list(account: AccountRef, filter: TagFilter): Promise<TagView[]> {
    const { rows } = await this.directory.refreshed(account.id);
    return tagsOfAccount(account.id, rows).filter(
      (tag) =>
        (filter.name === undefined || tag.name === filter.name.toLowerCase()) &&
        (filter.id === undefined || tag.id === filter.id.toLowerCase()),
    );
  }

  async page(account: AccountRef, filter: TagFilter, page: Page): Promise<TagView[]> {
    return (await this.list(account, filter)).slice(page.offset, page.offset + page.limit);
  }

  /** As it is now. @throws NotFound */
  async plain(account: AccountRef, id: string): Promise<TagView> {
    const { rows } = await this.directory.refreshed(account.id);
    const tag = tagsOfAccount(account.id, rows).find((one) => one.id === id);
    if (!tag) throw new NotFound('tag', id);
    return tag;
  }

  /** @throws NotFound when there is no tag with this id or, for canonical ones, name. */
  async get(account: AccountRef, id: string): Promise<TagDetailView> {
    const [tag] = await this.list(account, { id });
    if (!tag) throw new NotFound('tag', id);
    const entries = (await this.directory.of(account.id)).entriesFor(tag.id);
    const [counts] = await this.reader.rows<{ threads: number; unread: number }>(
      `SELECT count(DISTINCT listed.thread_id)::int AS threads, count(DISTINCT unread.thread_id)::int AS unread
       FROM thread_categories listed
       LEFT JOIN thread_categories unread ON unread.account_id = $1 AND unread.category = 'unread'
         AND unread.last_message_at = listed.last_message_at AND unread.thread_id = listed.thread_id
       WHERE listed.account_id = $1 AND listed.category = ANY($2)`,
      [account.id, entries],
      'tag-counts',
    );
    return { ...tag, thread_count: counts?.threads ?? 0, unread_count: counts?.unread ?? 0 };
  }
}
