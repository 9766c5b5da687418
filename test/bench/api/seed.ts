import type { Client } from 'pg';

import { type Queryable, refreshThreads } from '../../../libs/domain/threads/refresh-threads.js';

import { withClient } from '../database.js';

import { content, functions, peer, plan } from './seed-sql.js';

export interface SeedSize {
  readonly messages: number;
  readonly accounts: number;
}

const BATCH = 1500;

/** Settings with which a server is seeded fast. It is restarted with the product's own before anything is measured. */
export const seedSettings = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_wal_size=8GB',
  'work_mem=128MB',
  'maintenance_work_mem=256MB',
] as const;

/** Fills a migrated, empty database and the peer's tables beside ours. */
export function seedDatabase(url: string, size: SeedSize, log: (line: string) => void): Promise<void> {
  const started = performance.now();
  const step = (name: string) => log(`  ${name} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  return withClient(url, async (client) => {
    const run = async (statements: readonly string[]) => {
      for (const sql of statements) {
        await client.query(
          sql.replaceAll('$size', String(size.messages)).replaceAll('$accounts', String(size.accounts)),
        );
      }
    };
    await run([...functions, ...plan]);
    step('planned');
    await withoutIndexes(client, () => run(content));
    await run(['ANALYZE messages']);
    step('messages');
    await makeThreads(client);
    step('threads');
    await run(peer);
    await run(['DROP SCHEMA seed CASCADE', 'VACUUM ANALYZE', 'CHECKPOINT']);
    step("the peer's tables");
  });
}

/** Indexes are made faster over a full table than row by row. Primary keys stay. */
async function withoutIndexes(client: Client, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ indexname: string; indexdef: string }>(
    `SELECT indexname, indexdef FROM pg_indexes
     WHERE schemaname = 'public' AND tablename IN ('messages', 'message_uids', 'files') AND indexname !~ '_pkey$'`,
  );
  for (const { indexname } of rows) await client.query(`DROP INDEX ${indexname}`);
  await work();
  for (const { indexdef } of rows) await client.query(indexdef);
}

/**
 * Threads are made by the code that makes them in the product; every tenth with unread mail is new to its owner.
 * @param accountId only of this account; of all when it is null
 */
export async function makeThreads(client: Client, accountId: string | null = null): Promise<void> {
  const tx: Queryable = {
    query: async <Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await client.query(sql, [...parameters])).rows as Row[],
  };
  const { rows } = await client.query<{ account_id: string; ids: string[] }>(
    `SELECT account_id, array_agg(thread_id ORDER BY last DESC) AS ids
     FROM (SELECT account_id, thread_id, max(received_at) AS last FROM messages
           WHERE $1::text IS NULL OR account_id = $1 GROUP BY 1, 2) AS thread
     GROUP BY 1`,
    [accountId],
  );
  for (const { account_id: owner, ids } of rows) {
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      await client.query('BEGIN');
      await refreshThreads(tx, owner, batch, { unseen: new Set(batch.filter((_, n) => n % 10 === 0)) });
      await client.query('COMMIT');
    }
  }
}

/** What requests are made of: the largest account, its ids, a common and a rare correspondent. */
export interface Subject {
  readonly accountId: string;
  readonly token: string;
  readonly threads: number;
  readonly messages: number;
  readonly messageIds: readonly string[];
  readonly commonEmail: string;
  readonly rareEmail: string;
}

export function findSubject(url: string): Promise<Subject> {
  return withClient(url, async (client) => {
    const one = async <Row>(sql: string, values: unknown[] = []) => (await client.query(sql, values)).rows[0] as Row;
    const { id } = await one<{ id: string }>(`SELECT id FROM accounts WHERE email_address = 'owner0@example.com'`);
    const counts = await one<{ threads: number; messages: number }>(
      `SELECT (SELECT count(*)::int FROM threads WHERE account_id = $1) AS threads,
              (SELECT count(*)::int FROM messages WHERE account_id = $1) AS messages`,
      [id],
    );
    const { ids } = await one<{ ids: string[] }>(
      `SELECT array_agg(id) AS ids
       FROM (SELECT id FROM messages WHERE account_id = $1 ORDER BY identity LIMIT 500) AS sample`,
      [id],
    );
    const { common, rare } = await one<{ common: string; rare: string }>(
      `SELECT (array_agg(email ORDER BY times DESC))[1] AS common, (array_agg(email ORDER BY times))[1] AS rare
       FROM (SELECT email, count(*) AS times FROM thread_participants
             WHERE account_id = $1 AND email <> 'owner0@example.com' GROUP BY email) AS correspondent`,
      [id],
    );
    return { accountId: id, token: 'token0', ...counts, messageIds: ids, commonEmail: common, rareEmail: rare };
  });
}
