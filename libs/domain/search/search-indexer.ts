import { setImmediate as breath } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient, type QueryResultRow } from 'pg';

import type { Participant } from '#libs/common/participants.js';
import { inTransaction } from '#libs/database/transaction.js';

import { documentOf } from './document.js';

/** Accounts that are looked for at a time; each gets one batch before the first one has its next. */
const ACCOUNTS = 100;
/** Messages, or changes of the log, a transaction. */
const BATCH = 300;
/** Messages whose texts are in memory at once. */
const IN_MEMORY = 10;
/** Of a body, characters of HTML. */
const MOST_BODY = 300_000;
/** The process has other things to do. */
const AT_A_STRETCH_MS = 5;

interface Progress {
  readonly number: number;
  readonly seq: string;
  readonly scanAfter: string | null;
}

/** What a batch is about, and where the next one begins. */
interface Portion {
  readonly ids: readonly string[];
  readonly seq: string;
  readonly scanAfter: string | null;
}

interface ContentRow {
  readonly id: string;
  readonly received_at: Date;
  readonly draft: boolean;
  readonly version: number;
  readonly subject: string;
  readonly from: readonly Participant[];
  readonly others: readonly Participant[];
  readonly filenames: readonly string[];
  readonly body: string;
}

/**
 * Brings the index of words after the mail: first what an account has, by id, then what its change log tells of. Nobody
 * who writes mail waits for it, and it can be stopped and repeated anywhere. What it has not come to yet is not found;
 * what is no more, or is other by now, searches leave out themselves.
 */
@Injectable()
export class SearchIndexer {
  constructor(private readonly pool: Pool) {}

  /** Accounts whose index is behind, some of them when they are many. */
  async behind(): Promise<string[]> {
    const { rows } = await this.pool.query<{ id: string }>({
      name: 'search-behind',
      text: `SELECT a.id FROM accounts a LEFT JOIN search_accounts s ON s.account_id = a.id
        WHERE a.deleted_at IS NULL AND (s.account_id IS NULL OR s.scan_after IS NOT NULL OR s.seq < a.change_seq)
        ORDER BY random() LIMIT ${ACCOUNTS}`,
    });
    return rows.map((row) => row.id);
  }

  /** One batch. @returns false when another worker is at the same account */
  async advance(accountId: string): Promise<boolean> {
    return inTransaction(this.pool, async (client) => {
      const batch = new Batch(client, accountId);
      const progress = await batch.progress();
      if (!progress) return false;
      const portion = progress.scanAfter === null ? await batch.changed(progress) : await batch.scanned(progress);
      await batch.index(progress.number, portion.ids);
      await batch.reached(portion);
      return true;
    });
  }

  /** Until nothing is behind. */
  async catchUp(): Promise<void> {
    for (let some = await this.behind(); some.length > 0; some = await this.behind()) {
      for (const accountId of some) await this.advance(accountId);
    }
  }
}

/** The statements of one batch, in its transaction. */
class Batch {
  constructor(
    private readonly client: PoolClient,
    private readonly accountId: string,
  ) {}

  /** Null when there is no such account, or somebody else is at it. */
  async progress(): Promise<Progress | null> {
    await this.rows(
      `INSERT INTO search_accounts (account_id, seq, scan_after) SELECT id, change_seq, '' FROM accounts WHERE id = $1
       ON CONFLICT (account_id) DO NOTHING`,
    );
    const [row] = await this.rows<Progress>(
      `SELECT number, seq::text AS seq, scan_after AS "scanAfter" FROM search_accounts WHERE account_id = $1
       FOR UPDATE SKIP LOCKED`,
    );
    return row ?? null;
  }

  /** The next messages by id, and what the index has between them. */
  async scanned({ seq, scanAfter }: Progress): Promise<Portion> {
    const rows = await this.rows<{ id: string }>(
      `SELECT id FROM messages WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT ${BATCH}`,
      [scanAfter],
    );
    const last = rows.length < BATCH ? null : (rows.at(-1)?.id ?? null);
    const known = await this.rows<{ id: string }>(
      `SELECT message_id AS id FROM search_documents
       WHERE account_id = $1 AND message_id > $2 AND ($3::text IS NULL OR message_id <= $3)`,
      [scanAfter, last],
    );
    return { ids: [...new Set([...rows, ...known].map((row) => row.id))], seq, scanAfter: last };
  }

  /** What the next changes of the log are about. What it does not tell any more has to be looked for. */
  async changed({ seq }: Progress): Promise<Portion> {
    const [log] = await this.rows<{ head: string; first: string | null }>(
      `SELECT change_seq::text AS head,
         (SELECT seq FROM changes WHERE account_id = $1 ORDER BY account_id, seq LIMIT 1)::text AS first
       FROM accounts WHERE id = $1`,
    );
    const head = log?.head ?? seq;
    const isCut = BigInt(log?.first ?? BigInt(head) + 1n) > BigInt(seq) + 1n;
    if (isCut) return { ids: [], seq: head, scanAfter: '' };
    const changes = await this.rows<{ seq: string; id: string }>(
      `SELECT seq::text AS seq, object_id AS id FROM changes
       WHERE account_id = $1 AND seq > $2 AND object_type IN ('message', 'draft') ORDER BY account_id, seq LIMIT ${BATCH}`,
      [seq],
    );
    const reached = changes.length < BATCH ? head : (changes.at(-1)?.seq ?? head);
    return { ids: [...new Set(changes.map((change) => change.id))], seq: reached, scanAfter: null };
  }

  /** Makes the index of these messages what they are by now. */
  async index(accountNumber: number, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.rows(
      `DELETE FROM search_documents d USING unnest($2::text[]) AS wanted(id)
       WHERE d.account_id = $1 AND d.message_id = wanted.id
         AND NOT EXISTS (SELECT FROM messages m WHERE m.account_id = $1 AND m.id = wanted.id OFFSET 0)`,
      [ids],
    );
    const stale = await this.rows<{ id: string }>(
      `SELECT m.id FROM unnest($2::text[]) AS wanted(id)
       CROSS JOIN LATERAL (
         SELECT id, draft, version FROM messages WHERE account_id = $1 AND id = wanted.id OFFSET 0
       ) m
       LEFT JOIN LATERAL (
         SELECT draft, version FROM search_documents WHERE account_id = $1 AND message_id = wanted.id OFFSET 0
       ) d ON true
       WHERE (d.draft, d.version) IS DISTINCT FROM (m.draft, m.version)`,
      [ids],
    );
    for (let at = 0; at < stale.length; at += IN_MEMORY) {
      await this.write(
        accountNumber,
        stale.slice(at, at + IN_MEMORY).map((row) => row.id),
      );
    }
  }

  async reached({ seq, scanAfter }: Portion): Promise<void> {
    await this.rows('UPDATE search_accounts SET seq = $2, scan_after = $3 WHERE account_id = $1', [seq, scanAfter]);
  }

  private async write(accountNumber: number, ids: readonly string[]): Promise<void> {
    const contents = await this.rows<ContentRow>(CONTENTS, [ids]);
    const words: string[] = [];
    let since = performance.now();
    for (const row of contents) {
      words.push(documentOf(accountNumber, row));
      if (performance.now() - since < AT_A_STRETCH_MS) continue;
      await breath();
      since = performance.now();
    }
    await this.rows(
      `INSERT INTO search_documents (account_id, message_id, received_at, draft, version, words)
       SELECT $1, * FROM unnest($2::text[], $3::timestamptz[], $4::boolean[], $5::integer[], $6::text[]::tsvector[])
       ON CONFLICT (account_id, message_id) DO UPDATE SET received_at = excluded.received_at, draft = excluded.draft,
         version = excluded.version, words = excluded.words`,
      [
        contents.map((row) => row.id),
        contents.map((row) => row.received_at),
        contents.map((row) => row.draft),
        contents.map((row) => row.version),
        words,
      ],
    );
  }

  private async rows<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(text, [this.accountId, ...values])).rows;
  }
}

const CONTENTS = `
  SELECT m.id, m.received_at, m.draft, m.version, m.subject, m."from",
    (SELECT coalesce(json_agg(person), '[]') FROM (
       SELECT json_array_elements(list) AS person FROM (VALUES (m."to"), (m.cc), (m.bcc), (m.reply_to)) AS field(list)
     ) AS people) AS others,
    ARRAY(SELECT filename FROM files WHERE account_id = $1 AND message_id = m.id AND filename IS NOT NULL) AS filenames,
    coalesce((SELECT left(body, ${MOST_BODY}) FROM message_bodies WHERE account_id = $1 AND message_id = m.id), '') AS body
  FROM unnest($2::text[]) AS wanted(id)
  CROSS JOIN LATERAL (SELECT * FROM messages WHERE account_id = $1 AND id = wanted.id OFFSET 0) m`;
