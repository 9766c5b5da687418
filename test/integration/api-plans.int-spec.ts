import type { MailFilter } from '#libs/domain/messages/mail-filter.js';
import { resolved } from '#libs/domain/messages/mail-filter.js';
import { messageParts, messagesAmong, messagesWalked } from '#libs/domain/messages/message-query.js';
import type { FilterPart } from '#libs/domain/messages/sql.js';
import { AccountCategories, type CategoryRow } from '#libs/domain/folders/account-categories.js';
import { threadParts, threadsAmong, threadsWalked } from '#libs/domain/threads/thread-query.js';

import { createDatabase, type TestDatabase } from '../support/servers.js';
import { Seed, type SeededAccount } from '../support/seed.js';

/** Small primes apart, so that every combination of properties occurs. */
const every = (n: number, of: number): boolean => n % of === 0;

describe('the plans of one list', () => {
  let database: TestDatabase;
  let seed: Seed;
  let account: SeededAccount;
  let categories: AccountCategories;

  beforeAll(async () => {
    database = await createDatabase();
    seed = await Seed.open(database.url);
    account = await seed.account();
    const threadIds: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      const { threadId } = await seed.message(account, {
        threadId: every(n, 3) ? threadIds[n >> 2] : undefined,
        subject: `Subject ${n % 4}`,
        from: `p${n % 5}@example.net`,
        to: [`p${n % 7}@example.net`, 'ada@example.com'],
        at: 1_704_067_200 + ((n * 37) % 60) * 3600,
        unread: every(n, 4),
        starred: every(n, 5),
        draft: every(n, 11),
        folders: [every(n, 2) ? 'INBOX' : 'Sent', ...(every(n, 6) ? ['Taxes/2024'] : [])],
        files: every(n, 7) ? [{ filename: `f${n % 3}.pdf` }] : [],
      });
      threadIds.push(threadId);
    }
    const rows = await seed.sql('SELECT id, kind, role, path, display_name FROM categories WHERE account_id = $1', [
      account.id,
    ]);
    categories = new AccountCategories(rows as unknown as CategoryRow[]);
  });
  afterAll(async () => {
    await seed.close();
    await database.drop();
  });

  const at = (hours: number): Date => new Date((1_704_067_200 + hours * 3600) * 1000);
  const filters: [string, MailFilter][] = [
    ['an address', { anyEmail: ['p1@example.net'] }],
    ['two addresses', { anyEmail: ['p1@example.net', 'p6@example.net'] }],
    ['a sender', { from: 'p2@example.net' }],
    ['sender and recipient', { from: 'p2@example.net', to: 'p3@example.net' }],
    ['a folder', { in: 'inbox' }],
    ['a state', { tag: 'unread' }],
    ['state and folder', { unread: true, in: 'taxes/2024' }],
    ['sent, by folder and by state', { tag: 'sent' }],
    ['not starred with an attachment', { starred: false, hasAttachment: true }],
    ['subject and address', { subject: 'Subject 1', anyEmail: ['ada@example.com'] }],
    ['file and address', { filename: 'f2.pdf', anyEmail: ['ada@example.com'] }],
    ['a file', { filename: 'f1.pdf' }],
    [
      'a folder within dates',
      { in: 'inbox', lastMessageAfter: at(10), lastMessageBefore: at(50), startedAfter: at(5) },
    ],
    ['an address within dates', { anyEmail: ['p3@example.net'], receivedAfter: at(8), receivedBefore: at(40) }],
  ];
  const pages = [
    { limit: 100, offset: 0 },
    { limit: 4, offset: 3 },
  ];

  const ids = async ({ text, values }: { text: string; values: readonly unknown[] }): Promise<unknown[]> =>
    (await seed.sql(text, values)).map((row) => row['id']).filter((id) => id !== null);
  const starts = (parts: readonly FilterPart[]): number[] => parts.flatMap((part, index) => (part.ids ? [index] : []));

  it.each(filters)('of threads agree on %s', async (_, filter) => {
    const parts = threadParts(resolved(filter, categories));
    for (const page of pages) {
      const walked = await ids(threadsWalked(account.id, parts, 'ids', page));
      for (const start of starts(parts)) {
        expect(await ids(threadsAmong(account.id, start, parts, 'ids', page))).toEqual(walked);
      }
    }
    expect(await ids(threadsWalked(account.id, parts, 'ids', pages[0]!))).not.toEqual([]);
  });

  it.each(filters)('of messages and drafts agree on %s', async (_, filter) => {
    for (const kind of ['message', 'draft'] as const) {
      const parts = messageParts(resolved(filter, categories), kind);
      for (const page of pages) {
        const walked = await ids(messagesWalked(account.id, kind, parts, page));
        for (const start of starts(parts)) {
          expect(await ids(messagesAmong(account.id, kind, start, parts, page))).toEqual(walked);
        }
      }
    }
  });
});
