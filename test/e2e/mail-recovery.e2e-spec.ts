import { Redis } from 'ioredis';

import { Cable } from '../support/cable.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { OwnPostgres } from '../support/own-servers.js';
import { type ConnectedAccount, Product } from '../support/product.js';

const OLD = 12_000;
const FILED = 300;
/** About 250 messages a second: every trouble comes long before the end. */
const SLOW = { bytesPerSecond: 100_000 };

describe('a first sync of a big mailbox', () => {
  const postgres = new OwnPostgres();
  let product: Product;
  let cable: Cable;
  let ada: ConnectedAccount;
  let news = 0;

  beforeAll(async () => {
    const env = {
      DATABASE_URL: await postgres.start(),
      SYNC_BACKFILL_THREADS: '1',
      // Between two rounds only IDLE can tell of new mail.
      SYNC_FOLDER_POLL_SECONDS: '600',
    };
    product = await Product.start({ env });
    cable = await Cable.to(`imap://127.0.0.1:${product.dovecot.imapPort}`);
    const letters = (folder: string, count: number) =>
      Array.from({ length: count }, (_, i) =>
        letter({ name: `${folder}-${i + 1}`, date: new Date(1.7e12 + i * 1000) }),
      );
    await product.deliver('ada', 'INBOX', letters('inbox', OLD));
    await product.deliver('ada', 'Archive', letters('archive', FILED));
    cable.slow(SLOW);
    ada = await product.connect('ada', { imap_port: cable.port });
  });
  afterAll(async () => {
    await product?.stop();
    cable?.remove();
    await postgres.stop();
    postgres.remove();
  });

  const subjects = async (query: string) =>
    (await ada.api.ok<{ subject: string }[]>(`/messages?${query}`)).map(({ subject }) => subject);
  const count = async () => (await ada.api.ok<{ count: number }>('/messages?view=count')).count;
  const claimedRanges = async () => {
    const [row] = await product.installation.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM backfill_ranges WHERE claimed_until > now()',
    );
    return row!.count;
  };
  const status = () =>
    ada.api.ok<{
      sync_state: string;
      folders: { name: string; total: number; synced: number }[];
      events: { kind: string; message: string }[];
    }>('/status');
  /** More than what was on its way already: two batches. */
  const progress = async () => {
    const before = await count();
    await eventually('progress', async () => (await count()) > before + 400);
    expect(await count()).toBeLessThan(OLD);
  };
  const newsArrives = async () => {
    const mail = await product.mailProgram();
    news += 1;
    await mail.append('INBOX', letter({ name: `news-${news}` }));
    await eventually('new mail', async () => (await subjects(`subject=news-${news}`))[0] ?? null);
  };

  it('shows the newest mail first, its progress, and new mail at once', async () => {
    const newest = await eventually('the newest mail', async () => {
      const found = await subjects('in=inbox&limit=50');
      return found.length === 50 ? found : null;
    });
    expect(newest.toSorted()).toEqual(Array.from({ length: 50 }, (_, i) => `inbox-${OLD - i}`).toSorted());
    // Its mail can be read before the other folders have been looked at.
    const { sync_state: state, folders } = await eventually('a look at every folder', async () => {
      const now = await status();
      return now.sync_state === 'initializing' ? null : now;
    });
    const inbox = folders.find(({ name }) => name === 'inbox')!;
    expect({ state, total: inbox.total }).toEqual({ state: 'partial', total: OLD });
    expect(inbox.synced).toBeLessThan(OLD);
    await newsArrives();
    expect(await count()).toBeLessThan(OLD);
  });

  it('rests while it is stopped, and goes on', async () => {
    await product.installation.command(['account', 'stop', ada.id]);
    // A batch that was being stored is stored; then its range is given up, and none can be claimed.
    await eventually('rest', async () => (await claimedRanges()) === 0);
    expect(await count()).toBeLessThan(OLD);
    await product.installation.command(['account', 'start', ada.id]);
    await progress();
  });

  it('goes on when its connections drop, and says so in the log', async () => {
    cable.sever();
    await eventually('the complaint', async () =>
      (await status()).events.some(({ kind, message }) => kind === 'session.failed' && /connection/.test(message)),
    );
    cable.mend();
    cable.slow(SLOW);
    await progress();
  });

  it('goes on when PostgreSQL is restarted', async () => {
    await postgres.stop();
    expect(await ada.api.get('/messages')).toMatchObject({ status: 503, json: { type: 'database_error' } });
    await postgres.start();
    await progress();
  });

  it('survives that its worker is killed and Redis forgets everything: nothing is lost or doubled', async () => {
    await product.installation.kill('worker');
    expect(await count()).toBeLessThan(OLD);
    const redis = new Redis(product.installation.env['REDIS_URL']!);
    await redis.flushdb();
    await redis.quit();
    cable.mend();
    await product.installation.start('worker');
    await eventually('the end', async () => (await status()).sync_state === 'running', 120_000);
    await newsArrives();

    const total = OLD + FILED + news;
    expect(await count()).toBe(total);
    const [stored] = await product.installation.query(
      `SELECT count(DISTINCT subject)::int AS subjects, count(DISTINCT thread_id)::int AS threads FROM messages`,
    );
    expect(stored).toEqual({ subjects: total, threads: total });
    expect(await ada.api.ok('/threads?view=count')).toEqual({ count: total });
    expect(await product.installation.query('SELECT 1 FROM backfill_ranges')).toEqual([]);
  });
});
