import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef, Dialect } from '../accounts/account-ref.js';
import { CategoryDirectory } from '../folders/category-directory.js';

import { type MailFilter, matchesNothing, type Page, resolved, type ResolvedFilter } from './mail-filter.js';
import { type Kind, messageCount, messageParts, messagesAmong, messagesWalked, type Query } from './message-query.js';
import { type MessageFileRow, type MessageRow, renderMessage } from './message.view.js';
import { mostOf } from './sql.js';

const COLUMNS = `m.id, m.thread_id, m.subject, m.snippet, m."from"::text AS "from", m."to"::text AS "to", m.cc::text AS cc,
  m.bcc::text AS bcc, m.reply_to::text AS reply_to, floor(extract(epoch FROM m.received_at))::bigint::text AS date,
  m.unread, m.starred, m.draft, m.version, array_to_string(m.category_ids, ',') AS categories, m.message_id_header,
  m.in_reply_to, m."references", m.delivery_failures::text AS delivery_failures`;

const BY_IDS = `SELECT ${COLUMNS} FROM messages m WHERE m.account_id = $1 AND m.id = ANY($2)`;
const BY_IDS_WITH_BODIES = `SELECT ${COLUMNS}, b.body FROM messages m
  LEFT JOIN message_bodies b ON b.account_id = $1 AND b.message_id = m.id
  WHERE m.account_id = $1 AND m.id = ANY($2)`;

const ANSWERED_BY_DRAFTS = `SELECT d.id AS draft, a.id AS answered FROM messages d CROSS JOIN LATERAL (
    SELECT id FROM messages WHERE account_id = $1 AND thread_id = d.thread_id AND message_id_header = d.in_reply_to
      AND NOT draft ORDER BY id LIMIT 1
  ) a WHERE d.account_id = $1 AND d.id = ANY($2)`;

const SCHEDULED_DRAFTS = `SELECT message_id AS draft, floor(extract(epoch FROM send_at))::bigint::text AS send_at FROM sends
  WHERE account_id = $1 AND message_id = ANY($2) AND state = 'scheduled'`;

export interface Rendering {
  readonly dialect: Dialect;
  /** view=expanded: the headers that tie a message to others. */
  readonly withHeaders: boolean;
}

/** Reads of messages and drafts. Answers are JSON text. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly reader: Reader,
    private readonly directory: CategoryDirectory,
  ) {}

  /** @returns a JSON array of message (or draft) objects with bodies, newest first. */
  async list(account: AccountRef, kind: Kind, filter: MailFilter, page: Page, rendering: Rendering): Promise<string> {
    const ids = await this.select(account, kind, filter, page);
    const messages = await this.render(account, ids, rendering, true);
    return `[${inOrder(ids, messages).join(',')}]`;
  }

  /** @returns a JSON array of ids in the order of `list`. */
  async ids(account: AccountRef, kind: Kind, filter: MailFilter, page: Page): Promise<string> {
    return JSON.stringify(await this.select(account, kind, filter, page));
  }

  /** @returns `{"count": n}`. */
  async count(account: AccountRef, kind: Kind, filter: MailFilter): Promise<string> {
    const wanted = await this.lookedUp(account, filter);
    if (matchesNothing(wanted)) return '{"count":0}';
    const [row] = await this.run<{ count: number }>(messageCount(account.id, kind, messageParts(wanted, kind)));
    return `{"count":${row?.count ?? 0}}`;
  }

  /**
   * One message, or of several ids an array of those that exist. A draft's id answers the draft.
   *
   * @throws NotFound when there is none of them.
   */
  async get(account: AccountRef, ids: readonly string[], rendering: Rendering): Promise<string> {
    const found = inOrder(ids, await this.render(account, ids, rendering, true));
    const [first] = found;
    if (first === undefined) throw new NotFound('message', ids.join(','));
    return ids.length === 1 ? first : `[${found.join(',')}]`;
  }

  /** @throws NotFound when the account has no such message or it is not a draft. */
  async getDraft(account: AccountRef, id: string, rendering: Rendering): Promise<string> {
    const [row] = await this.reader.rows<{ draft: boolean }>(
      `SELECT draft FROM messages WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'is-draft',
    );
    if (!row?.draft) throw new NotFound('draft', id);
    return this.get(account, [id], rendering);
  }

  /** @returns those of this kind as JSON text with bodies, by id. */
  async byIds(
    account: AccountRef,
    kind: Kind,
    ids: readonly string[],
    rendering: Rendering,
  ): Promise<Map<string, string>> {
    return this.render(account, ids, rendering, true, kind);
  }

  /** @throws NotFound when the account has no such message. */
  async mustExist(account: AccountRef, id: string): Promise<void> {
    const rows = await this.reader.rows(
      `SELECT FROM messages WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'message-exists',
    );
    if (rows.length === 0) throw new NotFound('message', id);
  }

  /** Messages and drafts as JSON text by id, without their bodies: what an expanded thread holds. */
  async renderWithoutBodies(
    account: AccountRef,
    ids: readonly string[],
    dialect: Dialect,
  ): Promise<Map<string, string>> {
    return this.render(account, ids, { dialect, withHeaders: false }, false);
  }

  private async render(
    account: AccountRef,
    ids: readonly string[],
    rendering: Rendering,
    withBodies: boolean,
    kind?: Kind,
  ): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    // The categories are read beside the rest, so that they are known when it is there.
    const [found, files] = await Promise.all([
      this.reader.rows<MessageRow>(
        withBodies ? BY_IDS_WITH_BODIES : BY_IDS,
        [account.id, ids],
        withBodies ? 'messages-with-bodies' : 'messages',
      ),
      this.filesOf(account, ids),
      this.directory.of(account.id),
    ]);
    const rows = kind === undefined ? found : found.filter((row) => row.draft === (kind === 'draft'));
    const lists = rows.map((row) => row.categories);
    const categories = await this.directory.covering(account.id, lists);
    const [answered, sendAt] = await Promise.all([this.answeredBy(account, rows), this.scheduled(account, rows)]);
    const options = { account, categories, answered, sendAt, ...rendering };
    return new Map(rows.map((row) => [row.id, renderMessage(row, files.get(row.id) ?? [], options)]));
  }

  /** What drafts among these answer: the message with the id that their In-Reply-To names, always in the same thread. */
  private async answeredBy(account: AccountRef, rows: readonly MessageRow[]): Promise<Map<string, string>> {
    const drafts = rows.filter((row) => row.draft && row.in_reply_to !== null).map((row) => row.id);
    if (drafts.length === 0) return new Map();
    const found = await this.reader.rows<{ draft: string; answered: string }>(
      ANSWERED_BY_DRAFTS,
      [account.id, drafts],
      'answered-by-drafts',
    );
    return new Map(found.map(({ draft, answered }) => [draft, answered]));
  }

  /** When drafts among these are to be sent: unix seconds, as text. */
  private async scheduled(account: AccountRef, rows: readonly MessageRow[]): Promise<Map<string, string>> {
    const drafts = rows.filter((row) => row.draft).map((row) => row.id);
    if (drafts.length === 0) return new Map();
    const found = await this.reader.rows<{ draft: string; send_at: string }>(
      SCHEDULED_DRAFTS,
      [account.id, drafts],
      'scheduled-drafts',
    );
    return new Map(found.map(({ draft, send_at }) => [draft, send_at]));
  }

  private async filesOf(account: AccountRef, messageIds: readonly string[]): Promise<Map<string, MessageFileRow[]>> {
    const rows = await this.reader.rows<MessageFileRow>(
      `SELECT id, message_id, content_type, filename, size::text AS size, content_id, disposition FROM files
       WHERE account_id = $1 AND message_id = ANY($2) ORDER BY length(part), part, id`,
      [account.id, messageIds],
      'files-of-messages',
    );
    const byMessage = new Map<string, MessageFileRow[]>();
    for (const row of rows) byMessage.set(row.message_id, [...(byMessage.get(row.message_id) ?? []), row]);
    return byMessage;
  }

  /** Picks the plan: straight along an index where one fits, else from the rarest filter, else by walking the dates. */
  private async select(account: AccountRef, kind: Kind, filter: MailFilter, page: Page): Promise<string[]> {
    const wanted = await this.lookedUp(account, filter);
    if (page.limit === 0 || matchesNothing(wanted)) return [];
    const parts = messageParts(wanted, kind);
    const straight = parts.length === 1 && parts[0]?.walk !== undefined;
    for (const [index, part] of parts.entries()) {
      if (!part.ids || straight) continue;
      const rows = await this.run<{ candidates: number; id: string | null }>(
        messagesAmong(account.id, kind, index, parts, page),
      );
      const [first] = rows;
      if (first && first.candidates <= mostOf(part)) return rows.flatMap((row) => (row.id === null ? [] : [row.id]));
    }
    const walked = await this.run<{ id: string }>(messagesWalked(account.id, kind, parts, page));
    return walked.map((row) => row.id);
  }

  private async lookedUp(account: AccountRef, filter: MailFilter): Promise<ResolvedFilter> {
    return resolved(filter, await this.directory.naming(account.id, [filter.tag, filter.in]));
  }

  private async run<Row extends object>(query: Query): Promise<Row[]> {
    return this.reader.rows<Row>(query.text, query.values, query.name);
  }
}

function inOrder(ids: readonly string[], rendered: ReadonlyMap<string, string>): string[] {
  return [...new Set(ids)].map((id) => rendered.get(id)).filter((text) => text !== undefined);
}
