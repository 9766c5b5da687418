import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

import { AccountCategories, type CategoryRow } from './account-categories.js';

/** How long a renamed folder may still be shown under its old name. */
const KNOWN_FOR_MS = 1000;
const MOST_KNOWN = 2000;

interface Known {
  /** Under way or done. */
  readonly categories: Promise<AccountCategories>;
  readonly until: number;
}

/** Folders, labels and tags by account, remembered for a moment: every list page needs them all. */
@Injectable()
export class CategoryDirectory {
  private readonly known = new Map<string, Known>();

  constructor(private readonly reader: Reader) {}

  /** Those who ask at the same time share one query. */
  async of(accountId: string): Promise<AccountCategories> {
    const known = this.known.get(accountId);
    if (known && known.until > Date.now()) return known.categories;
    return this.refreshed(accountId);
  }

  /** As `of`, read again when one of the lists names a category that came in since. */
  async covering(accountId: string, lists: readonly string[]): Promise<AccountCategories> {
    const categories = await this.of(accountId);
    return lists.every((list) => categories.knows(list)) ? categories : this.refreshed(accountId);
  }

  /** As `of`, read again when one of these names means nothing: it may be new. */
  async naming(accountId: string, names: readonly (string | undefined)[]): Promise<AccountCategories> {
    const categories = await this.of(accountId);
    const means = (name: string | undefined) => name === undefined || categories.entriesFor(name).length > 0;
    return names.every(means) ? categories : this.refreshed(accountId);
  }

  /** As they are now. */
  async refreshed(accountId: string): Promise<AccountCategories> {
    const categories = this.read(accountId);
    const known = { categories, until: Date.now() + KNOWN_FOR_MS };
    this.known.delete(accountId);
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value ?? accountId);
    this.known.set(accountId, known);
    try {
      return await categories;
    } catch (error) {
      if (this.known.get(accountId) === known) this.known.delete(accountId);
      throw error;
    }
  }

  private async read(accountId: string): Promise<AccountCategories> {
    const rows = await this.reader.rows<CategoryRow>(
      `SELECT id, kind, role, path, display_name FROM categories WHERE account_id = $1 ORDER BY id`,
      [accountId],
      'categories-of-account',
    );
    return new AccountCategories(rows);
  }
}
