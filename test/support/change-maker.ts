import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { createDataSource, poolOf } from '#libs/database/data-source.js';
import type { ChangedObject, ChangeEvent } from '#libs/database/thread.entity.js';

import type { DataSource } from 'typeorm';

type Entry = readonly [ChangeEvent, ChangedObject, string];

/** Writes to the change log of seeded accounts, as the worker would, through the write door. */
export class ChangeMaker {
  private readonly writer: AccountWriter;

  private constructor(private readonly dataSource: DataSource) {
    this.writer = new AccountWriter(poolOf(dataSource));
  }

  static async open(databaseUrl: string): Promise<ChangeMaker> {
    const dataSource = createDataSource({ url: databaseUrl, poolSize: 8, applicationName: 'change maker' });
    return new ChangeMaker(await dataSource.initialize());
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  /** One transaction. @param alongside runs inside it, before the changes are recorded */
  async record(
    account: { readonly id: string },
    entries: readonly Entry[],
    alongside: (tx: Tx) => Promise<unknown> = async () => {},
  ): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      await alongside(tx);
      for (const [event, object, id] of entries) tx.changes.record(event, object, id);
    });
  }

  /** The shortest change there is: the end of a thread that nobody has. */
  async gone(account: { readonly id: string }, threadId: string): Promise<void> {
    await this.record(account, [['delete', 'thread', threadId]]);
  }
}
