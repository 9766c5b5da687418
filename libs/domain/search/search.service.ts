import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import { AccountAccess } from '../accounts/account-access.js';
import type { AccountRef, Dialect } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';
import { MessagesService } from '../messages/messages.service.js';
import { ThreadsService } from '../threads/threads.service.js';

import { searchQuery } from './search-query.js';
import { foundMessages, foundThreads, type FoundThread, RANKED } from './search-sql.js';

export type Searched = 'messages' | 'threads';

/** What to search for and how to show it. */
export interface Search {
  readonly q: string;
  /** `provider`: as the mail server searches, by its rules, newest first. */
  readonly source: 'local' | 'provider';
  readonly page: Page;
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
    private readonly access: AccountAccess,
    private readonly remote: RemoteCalls,
  ) {}

  /**
   * Messages without drafts, the best first.
   * @throws InvalidRequest when there is nothing to search for; of the provider DomainError 403, 422, 503 or 504
   */
  async inMessages(account: AccountRef, { dialect, expanded, ...search }: Search): Promise<string> {
    const ids = await this.find(account, 'messages', search);
    const found = await this.messages.byIds(account, 'message', ids, { dialect, withHeaders: expanded });
    return arrayOf(ids, found);
  }

  /** Threads with a message or draft that has what is searched for. @throws as `inMessages` */
  async inThreads(account: AccountRef, { dialect, expanded, ...search }: Search): Promise<string> {
    const ids = await this.find(account, 'threads', search);
    return arrayOf(ids, await this.threads.byIds(account, ids, dialect, expanded));
  }

  private async find(
    account: AccountRef,
    what: Searched,
    { q, source, page }: Pick<Search, 'q' | 'source' | 'page'>,
  ): Promise<string[]> {
    if (source === 'provider') return this.atProvider(account, what, q, page);
    return what === 'messages' ? this.messageIds(account, q, page) : this.threadIds(account, q, page);
  }

  private async atProvider(account: AccountRef, what: Searched, q: string, page: Page): Promise<string[]> {
    const refusal = await this.access.refusalToWrite(account);
    if (refusal) throw refusal;
    return (await this.remote.call('mail.search', { accountId: account.id, q, what, ...page })).ids;
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
