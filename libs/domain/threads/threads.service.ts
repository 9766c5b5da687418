import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef, Dialect } from '../accounts/account-ref.js';
import { CategoryDirectory } from '../folders/category-directory.js';
import {
  type AddressFilter,
  addressFilters,
  isUnfiltered,
  type MailFilter,
  matchesNothing,
  type Page,
  resolved,
  type ResolvedFilter,
} from '../messages/mail-filter.js';
import { MessagesService } from '../messages/messages.service.js';
import { type FilterPart, mostOf } from '../messages/sql.js';

import { asExpanded, idsOf } from './expanded-thread.js';
import {
  allThreads,
  type Query,
  type Shape,
  threadCount,
  threadParts,
  threadsAmong,
  threadsOf,
  threadsUnder,
  threadsWalked,
} from './thread-query.js';

interface FullRow {
  /** Without version, categories and closing brace. */
  readonly rendered: string;
  readonly version: number;
  readonly categories: string;
}

interface IdRow {
  readonly id: string;
}

/** Reads of threads. Answers are JSON text: a page is the rows' prerendered text strung together. */
@Injectable()
export class ThreadsService {
  constructor(
    private readonly reader: Reader,
    private readonly directory: CategoryDirectory,
    private readonly messages: MessagesService,
  ) {}

  /** @returns a JSON array of thread objects, newest last message first. */
  async list(account: AccountRef, filter: MailFilter, page: Page, dialect: Dialect): Promise<string> {
    const rows = await this.select<FullRow>(account, filter, 'full', page);
    return `[${(await this.rendered(account, rows, dialect)).join(',')}]`;
  }

  /** @returns as `list`, with the messages and drafts themselves instead of their ids, without bodies. */
  async listExpanded(account: AccountRef, filter: MailFilter, page: Page, dialect: Dialect): Promise<string> {
    const rows = await this.select<FullRow>(account, filter, 'full', page);
    return `[${(await this.expanded(account, rows, dialect)).join(',')}]`;
  }

  /** @returns a JSON array of ids in the order of `list`. */
  async ids(account: AccountRef, filter: MailFilter, page: Page): Promise<string> {
    const rows = await this.select<IdRow>(account, filter, 'ids', page);
    return JSON.stringify(rows.map((row) => row.id));
  }

  /** @returns `{"count": n}`. */
  async count(account: AccountRef, filter: MailFilter): Promise<string> {
    const wanted = await this.lookedUp(account, filter);
    if (matchesNothing(wanted)) return '{"count":0}';
    const rows = await this.run<{ count: number }>(threadCount(account.id, wanted, threadParts(wanted)));
    return `{"count":${rows[0]?.count ?? 0}}`;
  }

  /** @throws NotFound when the account has no such thread. */
  async get(account: AccountRef, id: string, dialect: Dialect): Promise<string> {
    const [thread] = await this.rendered(account, [await this.find(account, id)], dialect);
    return thread ?? '';
  }

  /** @throws NotFound when the account has no such thread. */
  async getExpanded(account: AccountRef, id: string, dialect: Dialect): Promise<string> {
    const [thread] = await this.expanded(account, [await this.find(account, id)], dialect);
    return thread ?? '';
  }

  /** @returns JSON text by id, without those that do not exist. */
  async byIds(
    account: AccountRef,
    ids: readonly string[],
    dialect: Dialect,
    withMessages: boolean,
  ): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    const rows = await this.reader.rows<FullRow & IdRow>(
      `SELECT id, rendered, version, array_to_string(categories, ',') AS categories FROM threads
       WHERE account_id = $1 AND id = ANY($2)`,
      [account.id, ids],
      'threads-by-ids',
    );
    const texts = await (withMessages ? this.expanded(account, rows, dialect) : this.rendered(account, rows, dialect));
    return new Map(rows.map((row, index) => [row.id, texts[index] ?? '']));
  }

  private async find(account: AccountRef, id: string): Promise<FullRow> {
    const [row] = await this.reader.rows<FullRow>(
      `SELECT rendered, version, array_to_string(categories, ',') AS categories FROM threads WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'thread-by-id',
    );
    if (!row) throw new NotFound('thread', id);
    return row;
  }

  private async rendered(account: AccountRef, rows: readonly FullRow[], dialect: Dialect): Promise<string[]> {
    const lists = rows.map((row) => row.categories);
    const categories = await this.directory.covering(account.id, lists);
    const unit = account.organizationUnit;
    return rows.map(
      (row) => `${row.rendered},"version":${row.version}${categories.threadEnd(row.categories, unit, dialect)}`,
    );
  }

  private async expanded(account: AccountRef, rows: readonly FullRow[], dialect: Dialect): Promise<string[]> {
    const threads = await this.rendered(account, rows, dialect);
    const messages = await this.messages.renderWithoutBodies(account, threads.flatMap(idsOf), dialect);
    return threads.map((thread) => asExpanded(thread, messages));
  }

  /** Picks the plan: straight along an index where one fits, else from the rarest filter, else by walking the dates. */
  private async select<Row extends FullRow | IdRow>(
    account: AccountRef,
    filter: MailFilter,
    shape: Shape,
    page: Page,
  ): Promise<Row[]> {
    const wanted = await this.lookedUp(account, filter);
    if (page.limit === 0 || matchesNothing(wanted)) return [];
    if (isUnfiltered(wanted)) return this.run<Row>(allThreads(account.id, shape, page));
    const under = onlyCategory(wanted);
    if (under) return this.run<Row>(threadsUnder(account.id, under, shape, page));
    const person = onlyPerson(wanted);
    if (person) return this.run<Row>(threadsOf(account.id, person, shape, page));
    return this.selectByParts<Row>(account, threadParts(wanted), shape, page);
  }

  private async selectByParts<Row extends FullRow | IdRow>(
    account: AccountRef,
    parts: readonly FilterPart[],
    shape: Shape,
    page: Page,
  ): Promise<Row[]> {
    for (const [index, part] of parts.entries()) {
      if (!part.ids) continue;
      const rows = await this.run<Row & { candidates: number }>(threadsAmong(account.id, index, parts, shape, page));
      const [first] = rows;
      // The LEFT JOIN answers one row of nulls when no thread passes.
      if (first && first.candidates <= mostOf(part)) return rows.filter((row) => !isNothing(row));
    }
    return this.run<Row>(threadsWalked(account.id, parts, shape, page));
  }

  private async lookedUp(account: AccountRef, filter: MailFilter): Promise<ResolvedFilter> {
    return resolved(filter, await this.directory.naming(account.id, [filter.tag, filter.in]));
  }

  private async run<Row extends object>(query: Query): Promise<Row[]> {
    return this.reader.rows<Row>(query.text, query.values, query.name);
  }
}

const isNothing = (row: FullRow | IdRow): boolean => ('id' in row ? row.id : row.rendered) === null;

/** The entries, when nothing but one category is asked for. */
function onlyCategory(filter: ResolvedFilter): readonly string[] | null {
  const { tag, in: place, ...rest } = filter;
  const given = tag ?? place;
  return given && !(tag && place) && isUnfiltered(rest) ? given : null;
}

/** The address filter, when nothing but one address is asked for. */
function onlyPerson(filter: ResolvedFilter): AddressFilter | null {
  const { anyEmail, from, to, cc, bcc, ...rest } = filter;
  const [only, ...others] = addressFilters({ anyEmail, from, to, cc, bcc });
  return only?.emails.length === 1 && others.length === 0 && isUnfiltered(rest) ? only : null;
}
