import { MailStore } from '../support/mail-store.js';

describe('the write door', () => {
  let store: MailStore;
  beforeAll(async () => {
    store = await MailStore.create();
  });
  afterAll(() => store.stop());

  it('takes nothing more from work that failed: it would be written outside of the transaction', async () => {
    let goOn = () => {};
    const failed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let late: Promise<unknown> | undefined;
    const work = store.writer.write(store.accountId, async (tx) => {
      late = failed.then(() => tx.query(`UPDATE accounts SET name = 'late' WHERE id = $1`, [tx.accountId]));
      late.catch(() => undefined);
      throw new Error('not so');
    });
    await expect(work).rejects.toThrow('not so');
    goOn();
    await expect(late).rejects.toThrow('is over');
    expect(await store.rows(`SELECT 1 FROM accounts WHERE name = 'late'`)).toEqual([]);
  });

  describe('with statements that nobody waits for', () => {
    const rename = `UPDATE accounts SET name = $2 WHERE id = $1`;
    const names = () => store.rows('SELECT name FROM accounts WHERE id = $1', [store.accountId]);

    it('keeps what they wrote', async () => {
      await store.writer.write(store.accountId, async (tx) => {
        tx.unawaited(tx.query(rename, [tx.accountId, 'by the way']));
      });
      expect(await names()).toEqual([{ name: 'by the way' }]);
    });

    it('keeps nothing when one fails, and says why, whether the work goes on or not', async () => {
      for (const goesOn of [false, true]) {
        const work = store.writer.write(store.accountId, async (tx) => {
          tx.unawaited(tx.query(`SELECT ('x' || $1)::int`, [tx.accountId]));
          tx.unawaited(tx.query(rename, [tx.accountId, 'never']));
          tx.changes.record('modify', 'account', tx.accountId);
          if (goesOn) await tx.query('SELECT 1');
        });
        await expect(work).rejects.toMatchObject({ code: '22P02' });
        expect(await names()).not.toEqual([{ name: 'never' }]);
      }
    });
  });
});
