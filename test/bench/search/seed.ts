import type { Client } from 'pg';
import { Pool } from 'pg';

import { sha256 } from '../../../libs/common/hash.js';
import { newId } from '../../../libs/common/ids.js';
import { SearchIndexer } from '../../../libs/domain/search/search-indexer.js';
import { makeThreads } from '../api/seed.js';
import { withClient } from '../database.js';

import { letter, nameOf, randomFrom } from './corpus.js';

export interface SearchSeed {
  readonly messages: number;
  /** Of the account that is searched; the rest is spread over `accounts`. */
  readonly largest: number;
  readonly accounts: number;
}

export const TOKEN = 'token0';

const BATCH = 2000;
const INDEXERS = 2;
const SECONDS_APART = 900;
const NEWEST = Date.UTC(2026, 5, 30) / 1000;

/** Fills a migrated, empty database with mail and, by the product's own code, with the index of its words. */
export async function seedSearch(url: string, size: SearchSeed, log: (line: string) => void): Promise<void> {
  const began = performance.now();
  const step = (name: string) => log(`  ${name} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  await withClient(url, async (client) => {
    for (let n = 0; n < size.accounts; n += 1) {
      const share = n === 0 ? size.largest : (size.messages - size.largest) / (size.accounts - 1);
      await seedAccount(client, n, Math.round(share));
    }
    await client.query('ANALYZE');
    step('messages');
    const { rows } = await client.query<{ id: string }>(`SELECT id FROM accounts WHERE name = 'Owner 0'`);
    await makeThreads(client, rows[0]?.id);
    step('threads of the account that is searched');
    // Indexes are made faster over a full table than row by row.
    const { rows: indexes } = await client.query<{ indexdef: string }>(
      `SELECT indexdef FROM pg_indexes WHERE indexname = 'search_documents_by_word'`,
    );
    await client.query('DROP INDEX search_documents_by_word');
    await indexAll(url);
    step('words');
    await client.query(indexes[0]?.indexdef ?? '');
    step('their index');
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
    step('vacuumed');
  });
}

export async function indexAll(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: INDEXERS });
  try {
    await Promise.all(Array.from({ length: INDEXERS }, () => new SearchIndexer(pool).catchUp()));
  } finally {
    await pool.end();
  }
}

async function seedAccount(client: Client, n: number, messages: number): Promise<void> {
  const random = randomFrom(n + 1);
  const accountId = newId();
  await client.query(
    `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
       organization_unit, sync_state, linked_at)
     VALUES ($1, 'app', $2, $2, $3, 'imap', 'imap', '{}', 'folder', 'running', now())`,
    [accountId, `owner${n}@example.com`, `Owner ${n}`],
  );
  if (n === 0) {
    await client.query(
      `INSERT INTO access_tokens (id, account_id, application_id, token_hash) VALUES ($1, $2, 'app', $3)`,
      [newId(), accountId, sha256(TOKEN)],
    );
  }
  for (let at = 0; at < messages; at += BATCH) {
    await addLetters(client, accountId, Math.min(BATCH, messages - at), NEWEST - at * SECONDS_APART, random);
  }
}

/** Newest first, as a first sync reads them; three make a thread. @param newest unix seconds */
export async function addLetters(
  client: Client,
  accountId: string,
  count: number,
  newest: number,
  random: () => number,
): Promise<void> {
  let threadId = newId();
  const rows = Array.from({ length: count }, (_, n) => {
    if (n % 3 === 0) threadId = newId();
    return { id: newId(), threadId, at: newest - n * SECONDS_APART, ...letter(random) };
  });
  const from = rows.map(({ person }) => JSON.stringify([{ name: nameOf(person), email: `p${person}@firm.example` }]));
  await client.query(
    `INSERT INTO messages (account_id, id, thread_id, identity, message_id_header, "references", subject, snippet, "from",
       "to", cc, bcc, reply_to, emails, email_fields, received_at, size, unread, starred, draft, sent, has_attachments,
       category_ids)
     SELECT $1, id, thread_id, gen_random_uuid(), id || '@mail.example', '{}', subject, left(body, 190), sender::json,
       '[{"name":"Owner","email":"owner@example.com"}]', '[]', '[]', '[]', '{owner@example.com}', '{2}',
       to_timestamp(at), 3000, false, false, false, false, filename IS NOT NULL, '{}'
     FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
       AS row(id, thread_id, at, subject, body, sender, filename)`,
    [
      accountId,
      rows.map(({ id }) => id),
      rows.map((row) => row.threadId),
      rows.map(({ at }) => at),
      rows.map(({ subject }) => subject),
      rows.map(({ body }) => body),
      from,
      rows.map(({ filename }) => filename),
    ],
  );
  await client.query(
    `INSERT INTO message_bodies (account_id, message_id, body) SELECT $1, * FROM unnest($2::text[], $3::text[])`,
    [accountId, rows.map(({ id }) => id), rows.map(({ body }) => body)],
  );
  const files = rows.filter(({ filename }) => filename !== null);
  await client.query(
    `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, disposition)
     SELECT $1, id, message_id, '2', filename, 'application/pdf', 20000, 'attachment'
     FROM unnest($2::text[], $3::text[], $4::text[]) AS file(id, message_id, filename)`,
    [accountId, files.map(() => newId()), files.map(({ id }) => id), files.map(({ filename }) => filename)],
  );
}
