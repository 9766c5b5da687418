import { AccountWriter } from '../../../libs/changes/account-writer.js';
import { createPool } from '../../../libs/database/pool.js';

/** Writes to seeded accounts as the worker does, through the write door. */
export class Changes {
  private readonly pool: ReturnType<typeof createPool>;
  private readonly writer: AccountWriter;

  constructor(url: string) {
    this.pool = createPool({ url, poolSize: 2, applicationName: 'bench' }, console.error);
    this.writer = new AccountWriter(this.pool);
  }

  /** Marks a message read or unread. @returns when the database had said that it is committed */
  async toggle(accountId: string, messageId: string): Promise<number> {
    await this.writer.write(accountId, async (tx) => {
      await tx.query(
        'UPDATE messages SET unread = NOT unread, version = version + 1 WHERE account_id = $1 AND id = $2',
        [accountId, messageId],
      );
      tx.changes.record('modify', 'message', messageId);
    });
    return performance.now();
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
