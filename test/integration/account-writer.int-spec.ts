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
});
