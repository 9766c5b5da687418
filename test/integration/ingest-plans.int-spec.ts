import { newId } from '#libs/common/ids.js';
import { poolOf } from '#libs/database/data-source.js';
import { Reader } from '#libs/database/reader.js';
import { YoungTables } from '#libs/database/young-tables.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { type FolderRef, ingest, type ReadMessage } from '#libs/sync/mail/ingest.js';
import { applyFlags } from '#libs/sync/mail/uid-changes.js';

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
  async function sync(
    accountId: string,
    folder: FolderRef = { id: newId(), path: 'INBOX', role: 'inbox' },
  ): Promise<number[]> {
    const tables = new YoungTables(new Reader(poolOf(store.dataSource)));
    const looked: number[] = [];
    for (let batch = BATCHES; batch > 0; batch -= 1) {
      const messages = Array.from({ length: BATCH }, (_, n) => mail(batch * BATCH - n));
      const work = async (tx: Tx) => {
        // Counts of transactions before this one may not have been handed in yet.
        const before = await rowsRead(tx);
        await ingest(tx, { folder, owner: 'me@x', fresh: false }, messages);
        looked.push((await rowsRead(tx)) - before);
      };
      // As batches are stored.
      await store.writer.write(accountId, work, { eager: true });
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

  it('looks at few rows for a changed flag, whatever PostgreSQL knows of the values when it makes the plan', async () => {
    const folder = { id: newId(), path: 'Big', role: null };
    await store.rows(
      `INSERT INTO categories (account_id, id, kind, role, path, display_name, delimiter)
       VALUES ($1, $2, 'folder', NULL, 'Big', 'Big', '/')`,
      [store.accountId, folder.id],
    );
    await sync(store.accountId, folder);
    const flag = async (mode: string, uid: number) => {
      const seen: number[] = [];
      await store.writer.write(store.accountId, async (tx) => {
        await tx.query(`SET LOCAL plan_cache_mode = ${mode}`);
        const before = await rowsRead(tx);
        await applyFlags(tx, folder.id, [{ uid, flags: ['\\Flagged'] }]);
        seen.push((await rowsRead(tx)) - before);
      });
      return seen[0];
    };
    const looked: Record<string, number | undefined> = {};
    for (const statistics of ['none', 'all']) {
      if (statistics === 'all') await store.rows('ANALYZE');
      for (const [n, mode] of ['force_custom_plan', 'force_generic_plan'].entries()) {
        const uid = 7 + n + (statistics === 'all' ? 100 : 0);
        looked[`${mode}, statistics: ${statistics}`] = await flag(mode, uid);
      }
    }
    expect(Object.entries(looked).filter(([, rows]) => rows! > 100)).toEqual([]);
    expect(await store.rows('SELECT count(*)::int AS count FROM messages WHERE starred')).toEqual([{ count: 4 }]);
  });
});
