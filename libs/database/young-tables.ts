import { Injectable } from '@nestjs/common';

import { Reader } from './reader.js';

/** What a first sync fills, with the columns by which rows are found. */
const TABLES: Readonly<Record<string, string>> = {
  messages: 'id, identity, thread_id, received_at',
  message_uids: 'folder_id, uid, message_id, received_at',
  message_bodies: 'message_id',
  files: 'id, message_id',
  threads: 'id, subject_key, first_message_at, last_message_at',
  thread_categories: 'category, last_message_at, thread_id',
  thread_participants: 'email, last_message_at, thread_id',
  thread_refs: 'ref, thread_id',
  changes: 'seq',
};
const EVERY_MS = 200;
/** Beyond this many pages autovacuum is soon enough. */
const GROWN_UP = 20_000;

/**
 * Statistics for tables that were empty a moment ago. Autovacuum looks once a minute; until then the planner takes a
 * table for tiny and reads all of an account's rows where an index would find the few that are wanted.
 */
@Injectable()
export class YoungTables {
  private lookedAt = 0;

  constructor(private readonly reader: Reader) {}

  /** To be called after writing a lot; analyses what has grown eightfold since, at most every 200 ms. */
  async look(): Promise<void> {
    if (Date.now() - this.lookedAt < EVERY_MS) return;
    this.lookedAt = Date.now();
    const grown = await this.reader.rows<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1) AND relpages < $2
         AND pg_relation_size(oid) / current_setting('block_size')::int > 8 * relpages`,
      [Object.keys(TABLES), GROWN_UP],
      'young-tables',
    );
    if (grown.length === 0) return;
    const lists = grown.map(({ name }) => `${name} (${TABLES[name]})`);
    await this.reader.rows(`ANALYZE (SKIP_LOCKED) ${lists.join(', ')}`);
  }
}
