import type { Tx } from '#libs/changes/account-writer.js';
import { isUnsaved } from '#libs/domain/send/on-its-way.js';

import { MailStore } from '../support/mail-store.js';

const CHANGES = 20_000;
const DRAFTS = 50;

async function rowsRead(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ rows: string }>(
    `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_xact_user_tables
     WHERE relname = 'actions'`,
  );
  return Number(row?.rows ?? 0);
}

describe('looking for what is not saved', () => {
  let store: MailStore;
  beforeAll(async () => {
    store = await MailStore.create();
    // Drafts that could not be saved, drafts that could be after all, and whatever the user did since.
    const actions = (count: number, kind: string, state: string, object: string) =>
      store.rows(
        `INSERT INTO actions (account_id, id, kind, object_id, state)
         SELECT $1, gen_random_uuid()::text, $2, $3 || n, $4 FROM generate_series(1, $5::int) AS n`,
        [store.accountId, kind, object, state, count],
      );
    await actions(DRAFTS, 'draft.save', 'failed', 'lost');
    await actions(DRAFTS, 'draft.save', 'failed', 'saved');
    await actions(DRAFTS, 'draft.save', 'successful', 'saved');
    await actions(CHANGES, 'message.update', 'successful', 'other');
  });
  afterAll(() => store.stop());

  const ids = ['lost', 'saved', 'other'].flatMap((name) => Array.from({ length: DRAFTS }, (_, n) => `${name}${n + 1}`));
  const look = (mode: string): Promise<{ found: string[]; rows: number }> =>
    store.writer.write(store.accountId, async (tx) => {
      await tx.query(`SET LOCAL plan_cache_mode = ${mode}`);
      const before = await rowsRead(tx);
      const found = await tx.query<{ id: string }>(
        `SELECT id FROM unnest($2::text[]) AS wanted(id) WHERE ${isUnsaved('$1', 'wanted.id')}`,
        [store.accountId, ids],
      );
      return { found: found.map(({ id }) => id), rows: (await rowsRead(tx)) - before };
    });

  it.each(['none', 'all'])('reads no more for all that an account did since, statistics: %s', async (statistics) => {
    if (statistics === 'all') await store.rows('ANALYZE actions');
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      const { found, rows } = await look(mode);
      expect(found).toEqual(ids.slice(0, DRAFTS));
      expect(rows).toBeLessThan(6 * DRAFTS);
    }
  });
});
