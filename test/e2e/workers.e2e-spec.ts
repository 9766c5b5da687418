import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';

const users = ['ada', 'ben', 'cyd', 'dan', 'eve', 'fay'];

interface WorkerState {
  readonly pid: number;
  readonly sessions: number;
}

describe('three workers and six accounts', () => {
  let product: Product;
  const accounts = new Map<string, ConnectedAccount>();

  beforeAll(async () => {
    product = await Product.start({ users, env: { SYNC_BACKFILL_THREADS: '1', SYNC_FOLDER_POLL_SECONDS: '5' } });
    for (const user of users) accounts.set(user, await product.connect(user));
  });
  afterAll(() => product?.stop());

  const workers = async (): Promise<WorkerState[]> =>
    (
      await product.installation.query<{ id: string; sessions: number }>(
        `SELECT id, sessions FROM workers WHERE seen_at > now() - interval '5 seconds' ORDER BY sessions`,
      )
    ).map(({ id, sessions }) => ({ pid: Number(id.split(':').at(-2)), sessions }));
  const shares = async () => (await workers()).map(({ sessions }) => sessions).join();
  let news = 0;
  /** Everybody gets a letter, and every application sees it, once. */
  const mailFlows = async () => {
    const name = `news-${(news += 1)}`;
    for (const user of users) await product.deliver(user, 'INBOX', [letter({ name, to: `${user}@example.com` })]);
    for (const user of users) {
      const { api } = accounts.get(user)!;
      const count = async () => (await api.ok<{ count: number }>(`/messages?subject=${name}&view=count`)).count;
      await eventually(`mail for ${user}`, async () => (await count()) === 1);
    }
  };
  const trouble = () =>
    product.installation.query(`SELECT message FROM account_events WHERE level = 'error' OR kind = 'session.failed'`);

  it('one alone has them all; those that join take their share', async () => {
    await eventually('all accounts', async () => (await shares()) === '6');
    await mailFlows();
    await product.installation.start('worker-2', 'worker-3');
    await eventually('equal shares', async () => (await shares()) === '2,2,2');
    await mailFlows();
    expect(await trouble()).toEqual([]);
  });

  it('one that is killed loses its accounts to the others within a minute', async () => {
    await product.installation.kill('worker-2');
    await eventually('the others to hold all', async () => (await shares()) === '3,3');
    await mailFlows();
  });

  it('one that hangs loses its accounts, and cannot write to them when it comes back', async () => {
    const pid = product.installation.pid('worker-3');
    process.kill(pid, 'SIGSTOP');
    try {
      await eventually('the other to hold all', async () => (await shares()) === '6');
      await mailFlows();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually('its return', async () => (await workers()).some((worker) => worker.pid === pid));
    await eventually('equal shares', async () => (await shares()) === '3,3');
    await mailFlows();
    expect(await trouble()).toEqual([]);
    expect(await product.installation.query('SELECT 1 FROM accounts WHERE sync_failures > 0')).toEqual([]);
  });

  it('one that is stopped hands its accounts over at once', async () => {
    process.kill(product.installation.pid('worker-3'), 'SIGTERM');
    await eventually('the other to hold all', async () => (await shares()) === '6', 10_000);
    await mailFlows();
    expect(await trouble()).toEqual([]);
  });

  it('told every message once', async () => {
    const rows = await product.installation.query<{ created: number }>(
      `SELECT count(*)::int AS created FROM changes WHERE object_type = 'message' AND event = 'create'
       GROUP BY account_id, object_id`,
    );
    expect(rows).toHaveLength(news * users.length);
    expect(rows.every(({ created }) => created === 1)).toBe(true);
  });
});
