import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

import type { AccountRef, Dialect } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';
import { MessagesService } from '../messages/messages.service.js';
import { ThreadsService } from '../threads/threads.service.js';

import { searchQuery } from './search-query.js';
import { foundMessages, foundThreads, type FoundThread, RANKED } from './search-sql.js';

/** How a page of what was found is shown. */
export interface SearchRendering {
  readonly dialect: Dialect;
  readonly expanded: boolean;
}

const WIDER = 10;

/** Searches in what is synced. Answers are JSON arrays as text. */
@Injectable()
export class SearchService {
  constructor(
    private readonly reader: Reader,
    private readonly messages: MessagesService,
    private readonly threads: ThreadsService,
  ) {}

  /** Messages without drafts, the best first. @throws InvalidRequest when there is nothing to search for */
  async inMessages(account: AccountRef, q: string, page: Page, rendering: SearchRendering): Promise<string> {
    return this.showMessages(account, await this.messageIds(account, q, page), rendering);
  }

  /** Threads with a message or draft that has what is searched for. @throws as `inMessages` */
  async inThreads(account: AccountRef, q: string, page: Page, rendering: SearchRendering): Promise<string> {
    return this.showThreads(account, await this.threadIds(account, q, page), rendering);
  }

  async showMessages(account: AccountRef, ids: readonly string[], rendering: SearchRendering): Promise<string> {
    const { dialect, expanded } = rendering;
    const found = await this.messages.byIds(account, 'message', ids, { dialect, withHeaders: expanded });
    return arrayOf(ids, found);
  }

  async showThreads(
    account: AccountRef,
    ids: readonly string[],
    { dialect, expanded }: SearchRendering,
  ): Promise<string> {
    return arrayOf(ids, await this.threads.byIds(account, ids, dialect, expanded));
  }

  private async messageIds(account: AccountRef, q: string, page: Page): Promise<string[]> {
    const query = searchQuery(await this.numberOf(account), q);
    if (page.limit === 0) return [];
    const { text, values } = foundMessages(account.id, query, page);
    return (await this.reader.rows<{ id: string }>(text, values)).map((row) => row.id);
  }

  /** How many messages make a page of threads nobody knows before: when they were too few more of them are looked at. */
  private async threadIds(account: AccountRef, q: string, page: Page): Promise<string[]> {
    const query = searchQuery(await this.numberOf(account), q);
    if (page.limit === 0) return [];
    for (let most = Math.max(RANKED, page.offset + page.limit); ; most *= WIDER) {
      const { text, values } = foundThreads(account.id, query, page, most);
      const rows = await this.reader.rows<FoundThread>(text, values);
      const ids = rows.flatMap((row) => (row.id === null ? [] : [row.id]));
      if (ids.length === page.limit || (rows[0]?.messages ?? 0) < most) return ids;
    }
  }

  /** Accounts that nobody has indexed yet have no number, and no words either. */
  private async numberOf({ id }: AccountRef): Promise<number> {
    const [row] = await this.reader.rows<{ number: number }>(
      'SELECT number FROM search_accounts WHERE account_id = $1',
      [id],
      'search-number',
    );
    return row?.number ?? 0;
  }
}

const arrayOf = (ids: readonly string[], texts: ReadonlyMap<string, string>): string =>
  `[${ids.flatMap((id) => texts.get(id) ?? []).join(',')}]`;
