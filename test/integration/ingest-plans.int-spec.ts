import { newId } from '#libs/common/ids.js';
import { poolOf } from '#libs/database/data-source.js';
import { Reader } from '#libs/database/reader.js';
import { YoungTables } from '#libs/database/young-tables.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { ingest, type ReadMessage } from '#libs/sync/mail/ingest.js';

import { MailStore, readMessage } from '../support/mail-store.js';

const BATCH = 100;
const BATCHES = 20;

/** Every fifth message begins a thread, the others answer it; half of the answers have nothing but their subject. */
function mail(n: number): ReadMessage {
  const root = n - (n % 5);
  const refers = n % 2 === 0 && n !== root ? `References: <${root}@x>\n` : '';
  const subject = `${n === root ? '' : 'Re: '}Topic ${root}`;
  return readMessage(
    n + 1,
    `Message-ID: <${n}@x>\n${refers}From: P <p${n % 40}@x>\nTo: me@x\nSubject: ${subject}\n\nHello ${n}.\n`,
  );
}

async function rowsRead(tx: Tx): Promise<number> {
  const rows = await tx.query<{ relname: string; rows: string }>(
    `SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_xact_user_tables
     WHERE relname IN ('messages', 'message_uids', 'threads', 'thread_refs', 'thread_categories', 'thread_participants')`,
  );
  return rows.reduce((sum, row) => sum + Number(row.rows), 0);
}

describe('storing a big mailbox', () => {
  let store: MailStore;
  beforeEach(async () => {
    store = await MailStore.create();
  });
  afterEach(() => store.stop());

  /** Stores a mailbox newest first. @returns how many rows each batch made the database look at */
  async function sync(accountId: string): Promise<number[]> {
    const folder = { id: newId(), path: 'INBOX', role: 'inbox' };
    const tables = new YoungTables(new Reader(poolOf(store.dataSource)));
    const looked: number[] = [];
    for (let batch = BATCHES; batch > 0; batch -= 1) {
      const messages = Array.from({ length: BATCH }, (_, n) => mail(batch * BATCH - n));
      await store.writer.write(accountId, async (tx) => {
        // Counts of transactions before this one may not have been handed in yet.
        const before = await rowsRead(tx);
        await ingest(tx, { folder, owner: 'me@x', fresh: false }, messages);
        looked.push((await rowsRead(tx)) - before);
      });
      await tables.look();
    }
    return looked;
  }

  it('looks at no more rows for the last batch than for an early one, whether or not the tables have statistics', async () => {
    const first = await sync(store.accountId);
    expect(first.at(-1)).toBeLessThan(20 * BATCH);
    await store.rows('ANALYZE');
    // What statistics say about the accounts they know must not lead astray for one they have never seen.
    const second = await sync(newId());
    expect(second.at(-1)).toBeLessThan(20 * BATCH);
  });
});
