import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

import type { Page } from '../messages/mail-filter.js';

export interface SearchedFolder {
  readonly id: string;
  readonly path: string;
  readonly role: string | null;
}

/** What a provider's own search found, by folder and uid, as objects of ours. */
@Injectable()
export class ProviderFinds {
  constructor(private readonly reader: Reader) {}

  /** Folders and labels that the provider has, steady ones first. */
  async folders(accountId: string): Promise<SearchedFolder[]> {
    return this.reader.rows<SearchedFolder>(
      `SELECT id, path, role FROM categories WHERE account_id = $1 AND path IS NOT NULL
       ORDER BY coalesce(role IN ('trash', 'spam'), false), role IS NULL, id`,
      [accountId],
      'search-folders',
    );
  }

  /** Messages that lie there, drafts among them. What is not synced yet is left out. */
  async messagesAt(accountId: string, folderId: string, uids: readonly number[]): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT u.message_id AS id FROM unnest($3::bigint[]) AS wanted(uid) CROSS JOIN LATERAL (
         SELECT message_id FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid = wanted.uid OFFSET 0
       ) u`,
      [accountId, folderId, uids],
      'search-places',
    );
    return rows.map((row) => row.id);
  }

  /** One page of them, the newest first: messages without drafts, or their threads. */
  async page(
    accountId: string,
    messageIds: readonly string[],
    what: 'messages' | 'threads',
    { limit, offset }: Page,
  ): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      what === 'messages' ? MESSAGES : THREADS,
      [accountId, messageIds, limit, offset],
      `search-page-${what}`,
    );
    return rows.map((row) => row.id);
  }
}

const FOUND = `FROM unnest($2::text[]) AS wanted(id) CROSS JOIN LATERAL (
    SELECT id, thread_id, received_at, draft FROM messages WHERE account_id = $1 AND id = wanted.id OFFSET 0
  ) m`;
const MESSAGES = `SELECT m.id ${FOUND} WHERE NOT m.draft ORDER BY m.received_at DESC, m.id DESC LIMIT $3 OFFSET $4`;
const THREADS = `SELECT m.thread_id AS id ${FOUND}
  GROUP BY m.thread_id ORDER BY max(m.received_at) DESC, m.thread_id DESC LIMIT $3 OFFSET $4`;
