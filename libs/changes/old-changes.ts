import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

const CHUNK = 5000;

/** Cuts the change log at its old end. Readers who have not come so far are told that their cursor has expired. */
@Injectable()
export class OldChanges {
  /** Accounts up to this one are done; the next call goes on behind it. */
  private lastAccount = '';

  constructor(private readonly reader: Reader) {}

  /**
   * Removes what was written before a moment. Works until `until` (milliseconds), or until every account has been seen.
   * @returns how many changes were removed
   */
  async clean(before: Date, until: number): Promise<number> {
    let removed = 0;
    while (Date.now() < until) {
      const [account] = await this.reader.rows<{ id: string }>(
        'SELECT id FROM accounts WHERE id > $1 ORDER BY id LIMIT 1',
        [this.lastAccount],
        'account-after',
      );
      if (!account) {
        this.lastAccount = '';
        return removed;
      }
      const chunk = await this.cut(account.id, before);
      removed += chunk;
      if (chunk < CHUNK) this.lastAccount = account.id;
    }
    return removed;
  }

  /** The oldest first and without a gap: that is how readers tell what is missing. */
  private async cut(accountId: string, before: Date): Promise<number> {
    const [row] = await this.reader.rows<{ removed: number }>(
      `WITH oldest AS (
         SELECT seq, created_at FROM changes WHERE account_id = $1 ORDER BY account_id, seq LIMIT $3
       ), removed AS (
         DELETE FROM changes
         WHERE account_id = $1 AND seq <= (SELECT max(seq) FROM oldest WHERE created_at < $2)
         RETURNING seq
       )
       SELECT count(*)::int AS removed FROM removed`,
      [accountId, before, CHUNK],
      'cut-changes',
    );
    return row?.removed ?? 0;
  }
}
