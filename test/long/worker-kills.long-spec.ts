import type { ImapFlow } from 'imapflow';
import { Redis } from 'ioredis';

import { Cable } from '../support/cable.js';
import type { TestDelta } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import { answering, letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';

jest.setTimeout(900_000);

const KILLS = 50;
const FOLDERS = { INBOX: 6000, Archive: 1500, Sent: 500 };
/** Slow enough for the first sync to outlast all kills. */
const LINE = { bytesPerSecond: 40_000 };
/** A worker lives for up to this long after it called itself ready. */
const LONGEST_LIFE_MS = 1500;

interface Item {
  readonly id: string;
  readonly subject: string;
  readonly unread: boolean;
  readonly folder: { readonly name: string | null };
  readonly thread_id: string;
}

describe(`a first sync whose worker is killed ${KILLS} times`, () => {
  let product: Product;
  let cable: Cable;
  let mail: ImapFlow;
  let ada: ConnectedAccount;

  beforeAll(async () => {
    product = await Product.start({ env: { SYNC_BACKFILL_THREADS: '2' } });
    cable = await Cable.to(`imap://127.0.0.1:${product.dovecot.imapPort}`);
    for (const [folder, count] of Object.entries(FOLDERS)) {
      // Every third answers the one before it, which lies in the same folder and may be read in another life.
      const letters = Array.from({ length: count }, (_, index) => {
        const name = `${folder.toLowerCase()}-${index}`;
        const headers = index % 3 === 2 ? answering(`${folder.toLowerCase()}-${index - 1}`) : [];
        return letter({ name, headers, date: new Date(1.7e12 + index * 1000) });
      });
      await product.deliver('ada', folder, letters);
    }
    mail = await product.mailProgram();
    for (const folder of Object.keys(FOLDERS)) {
      await mail.mailboxOpen(folder);
      await mail.messageFlagsAdd('1:*', ['\\Seen']);
      await mail.messageFlagsRemove('1:100', ['\\Seen']);
    }
    await mail.mailboxClose();
    ada = await product.connect('ada', { imap_port: cable.port });
  });
  afterAll(async () => {
    await product?.stop();
    cable?.remove();
  });

  /** What time would do: leases and signs of life of the dead run out. */
  const timePasses = async () => {
    const redis = new Redis(product.installation.env['REDIS_URL']!);
    await redis.flushdb();
    await redis.quit();
    await product.installation.query(`UPDATE accounts SET sync_seen_at = now() - interval '1 minute'`);
  };
  const pages = async <T>(path: string): Promise<T[]> => {
    const all: T[] = [];
    for (let page = await ada.api.ok<T[]>(`${path}?limit=1000`); ;) {
      all.push(...page);
      if (page.length < 1000) return all;
      page = await ada.api.ok<T[]>(`${path}?limit=1000&offset=${all.length}`);
    }
  };
  const feed = async () => {
    const all: TestDelta[] = [];
    for (let cursor = '0'; ;) {
      const page = await ada.api.ok<{ deltas: TestDelta[]; cursor_end: string }>(`/delta?cursor=${cursor}&limit=1000`);
      if (page.deltas.length === 0) return all;
      all.push(...page.deltas);
      cursor = page.cursor_end;
    }
  };
  const truth = async () => {
    const found: string[] = [];
    for (const folder of Object.keys(FOLDERS)) {
      await mail.mailboxOpen(folder);
      for await (const { envelope, flags } of mail.fetch('1:*', { envelope: true, flags: true })) {
        found.push(`${envelope?.subject} ${folder.toLowerCase()} ${!flags?.has('\\Seen')}`);
      }
    }
    return found.toSorted();
  };

  it('ends with what the mail server has, each message told once', async () => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      cable.slow(LINE);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_LIFE_MS));
      await product.installation.kill('worker');
      await timePasses();
      await product.installation.start('worker');
    }
    const left = await product.installation.query('SELECT 1 FROM backfill_ranges');
    expect(left).not.toEqual([]);
    cable.mend();
    const isDone = async () => (await ada.api.ok<{ sync_state: string }>('/status')).sync_state === 'running';
    await eventually('the end of the first sync', isDone, 120_000);

    const messages = await pages<Item>('/messages');
    const shown = messages.map(({ subject, folder, unread }) => `${subject} ${folder.name?.toLowerCase()} ${unread}`);
    expect(shown.toSorted()).toEqual(await truth());
    const threadOf = new Map(messages.map(({ subject, thread_id }) => [subject, thread_id]));
    const torn = [...threadOf].filter(([subject, thread]) => {
      const [folder, index] = subject.split('-') as [string, string];
      return Number(index) % 3 === 2 && threadOf.get(`${folder}-${Number(index) - 1}`) !== thread;
    });
    expect(torn).toEqual([]);

    const deltas = await feed();
    const of = (object: string, event: string) =>
      deltas.filter((delta) => delta.object === object && delta.event === event);
    expect(
      of('message', 'create')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(messages.map(({ id }) => id).toSorted());
    expect([...of('message', 'delete'), ...of('file', 'delete')]).toEqual([]);
    const logged = await product.installation.query<{ entries: number }>(
      `SELECT count(*)::int AS entries FROM changes WHERE object_type = 'message' AND event <> 'modify'
       GROUP BY object_id HAVING count(*) > 1`,
    );
    expect(logged).toEqual([]);
    const threads = new Set(of('thread', 'create').map(({ id }) => id));
    for (const { id } of of('thread', 'delete')) threads.delete(id);
    expect([...threads].toSorted()).toEqual([...new Set(threadOf.values())].toSorted());
  });
});
