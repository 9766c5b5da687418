import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';

import { KEPT_DAYS } from './accounts.service.js';
import { removeAccountRows } from './remove-account-rows.js';

/** Accounts that were deleted so long ago that they cannot come back. */
@Injectable()
export class DeletedAccounts {
  constructor(
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
  ) {}

  /**
   * Removes them with everything that belongs to them, in portions that hold up nobody, until then (milliseconds); what is
   * left is for the next time. Blobs expire by themselves: others may share them.
   * @returns how many accounts
   */
  async clean(until: number): Promise<number> {
    const due = await this.reader.rows<{ id: string }>(
      `SELECT id FROM accounts WHERE deleted_at < now() - make_interval(days => $1) ORDER BY deleted_at`,
      [KEPT_DAYS],
    );
    let removed = 0;
    for (const { id } of due) {
      if (Date.now() > until) break;
      if (!(await this.cutOff(id))) continue;
      await removeAccountRows(this.writer, id);
      removed += 1;
    }
    return removed;
  }

  /** Whoever connects the mailbox from now on gets an account of its own. @returns false when it came back meanwhile */
  private async cutOff(id: string): Promise<boolean> {
    const cut = await this.writer.write(id, (tx) =>
      tx.query(
        `UPDATE accounts SET email_key = id, sync_epoch = sync_epoch + 1
         WHERE id = $1 AND deleted_at < now() - make_interval(days => $2) RETURNING id`,
        [id, KEPT_DAYS],
      ),
    );
    return cut.length > 0;
  }
}
