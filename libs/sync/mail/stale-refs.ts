import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

const CHUNK = 5000;
/** Below every reference: they are signed 64-bit hashes. */
const FIRST = '-9223372036854775808';

/**
 * Forgets references that lead to threads which are gone. Ingest looks through them, so they only cost room: this may
 * take its time, account by account, and goes on where it stopped.
 */
@Injectable()
export class StaleRefs {
  private at = { accountId: '', ref: FIRST };

  constructor(private readonly reader: Reader) {}

  /**
   * Works until `until` (milliseconds), or until every account has been seen.
   * @returns how many references were removed
   */
  async clean(until: number): Promise<number> {
    let removed = 0;
    while (Date.now() < until) {
      if (this.at.accountId === '' && !(await this.nextAccount())) return removed;
      const chunk = await this.cleanChunk();
      removed += chunk.removed;
      if (chunk.last !== null) this.at = { ...this.at, ref: chunk.last };
      else if (!(await this.nextAccount())) return removed;
    }
    return removed;
  }

  /** False after the last one: the next call begins with the first again. */
  private async nextAccount(): Promise<boolean> {
    const [row] = await this.reader.rows<{ id: string }>(
      'SELECT id FROM accounts WHERE id > $1 ORDER BY id LIMIT 1',
      [this.at.accountId],
      'account-after',
    );
    this.at = { accountId: row?.id ?? '', ref: FIRST };
    return row !== undefined;
  }

  /** Waits for no lock, so it cannot hold up ingest; a reference that got a new thread meanwhile stays. */
  private async cleanChunk(): Promise<{ last: string | null; removed: number }> {
    const [row] = await this.reader.rows<{ last: string | null; removed: number }>(
      `WITH page AS (
         SELECT ref, thread_id FROM thread_refs WHERE account_id = $1 AND ref > $2 ORDER BY ref LIMIT $3
       ), stale AS (
         SELECT link.ref FROM thread_refs link JOIN page ON page.ref = link.ref AND page.thread_id = link.thread_id
         WHERE link.account_id = $1
           AND NOT EXISTS (SELECT FROM threads WHERE account_id = $1 AND id = page.thread_id)
         FOR UPDATE OF link SKIP LOCKED
       ), removed AS (
         DELETE FROM thread_refs WHERE account_id = $1 AND ref IN (SELECT ref FROM stale) RETURNING ref
       )
       SELECT max(ref) AS last, (SELECT count(*)::int FROM removed) AS removed FROM page`,
      [this.at.accountId, this.at.ref, CHUNK],
      'clean-thread-refs',
    );
    return row ?? { last: null, removed: 0 };
  }
}
