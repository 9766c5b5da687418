import type { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';

import { eventually } from '../support/eventually.js';
import { answering, letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { renumber } from '../support/renumber.js';

interface Item {
  readonly id: string;
  readonly subject: string;
  readonly thread_id: string;
  readonly unread: boolean;
  readonly starred: boolean;
}

/** No IDLE, no CONDSTORE, no LIST-STATUS, no MOVE: everything has to be found by looking. */
const plain = { capabilities: 'IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE' };

describe.each([
  ['QRESYNC and LIST-STATUS', {}],
  ['nothing but IMAP4rev1', plain],
])('what other programs do to a mailbox on a server with %s', (_name, dovecot) => {
  let product: Product;
  let mail: ImapFlow;
  let ada: ConnectedAccount;

  beforeAll(async () => {
    product = await Product.start({ dovecot });
    mail = await product.mailProgram();
    await mail.append('INBOX', letter({ name: 'first' }), ['\\Seen']);
    for (const name of ['kept-1', 'kept-2', 'kept-3']) await mail.append('Archive', letter({ name }), ['\\Seen']);
    ada = await product.connect();
    await becomes('running');
  });
  afterAll(() => product?.stop());

  const list = (query: string) => ada.api.ok<Item[]>(`/messages?${query}`);
  const find = async (subject: string, more = '') => (await list(`subject=${subject}${more}`))[0];
  const found = (subject: string, more = '') => eventually(`${subject} ${more}`, () => find(subject, more));
  const becomes = (state: string) =>
    eventually(state, async () => (await ada.api.ok<{ sync_state: string }>('/status')).sync_state === state);
  const deliver = async (name: string, headers: string[] = []) => {
    const { lmtpPort: port } = product.dovecot;
    const lmtp = nodemailer.createTransport({ host: '127.0.0.1', port, lmtp: true, ignoreTLS: true });
    const envelope = { from: 'ben@example.net', to: ['ada@example.com'] };
    await lmtp.sendMail({ envelope, raw: letter({ name, headers }) });
  };
  /** Does something to the messages with this subject in one folder. */
  const act = async (folder: string, subject: string, action: (uids: string) => Promise<unknown>) => {
    await mail.mailboxOpen(folder);
    const uids = (await mail.search({ subject }, { uid: true })) as number[];
    await action(uids.join(','));
    await mail.mailboxClose();
  };

  it('new mail appears, as part of its thread, and its thread is unseen', async () => {
    await deliver('news', answering('first'));
    const [first, news] = [await found('first'), await found('news')];
    expect(news).toMatchObject({ thread_id: first.thread_id, unread: true });
    expect(await ada.api.ok(`${ada.v1}/threads/${first.thread_id}`)).toMatchObject({
      message_ids: [first.id, news.id],
      unread: true,
      tags: expect.arrayContaining([{ id: 'unseen', name: 'unseen' }]),
    });
  });

  it('reading and starring, and taking both back', async () => {
    const { id, thread_id: thread } = await found('news');
    const flags = async () => {
      const { unread, starred } = await ada.api.ok<Item>(`/messages/${id}`);
      return { unread, starred, thread: await ada.api.ok<Item>(`/threads/${thread}`) };
    };
    await act('INBOX', 'news', (uids) => mail.messageFlagsAdd(uids, ['\\Seen', '\\Flagged'], { uid: true }));
    await eventually('read and starred', async () => {
      const { unread, starred } = await flags();
      return !unread && starred;
    });
    expect((await flags()).thread).toMatchObject({ unread: false, starred: true });
    expect(await ada.api.ok(`${ada.v1}/tags/unread`)).toMatchObject({ thread_count: 0 });

    await act('INBOX', 'news', (uids) => mail.messageFlagsRemove(uids, ['\\Seen', '\\Flagged'], { uid: true }));
    await eventually('unread and plain', async () => {
      const { unread, starred } = await flags();
      return unread && !starred;
    });
    expect((await flags()).thread).toMatchObject({ unread: true, starred: false });
  });

  it('copying and moving: the message keeps its id', async () => {
    const { id } = await found('news');
    await act('INBOX', 'news', (uids) => mail.messageCopy(uids, 'Archive', { uid: true }));
    expect(await found('news', '&in=archive')).toMatchObject({ id });
    expect(await find('news', '&in=inbox')).toMatchObject({ id });

    await act('INBOX', 'news', (uids) => mail.messageMove(uids, 'Trash', { uid: true }));
    expect(await found('news', '&in=trash')).toMatchObject({ id });
    await eventually('leaving the inbox', async () => !(await find('news', '&in=inbox')));
    expect(await list('subject=news')).toHaveLength(1);
  });

  it('deleting: the message is gone with its last copy', async () => {
    const { id } = await found('news');
    await act('Trash', 'news', (uids) => mail.messageDelete(uids, { uid: true }));
    await eventually('leaving the trash', async () => !(await find('news', '&in=trash')));
    expect(await find('news')).toMatchObject({ id });
    await act('Archive', 'news', (uids) => mail.messageDelete(uids, { uid: true }));
    await eventually('the deletion', async () => (await ada.api.get(`/messages/${id}`)).status === 404);
    expect(await ada.api.ok(`/threads/${(await found('first')).thread_id}`)).toMatchObject({ unread: false });
  });

  it('making, renaming and deleting folders', async () => {
    const folders = async () =>
      (await ada.api.ok<{ display_name: string }[]>('/folders')).map((folder) => folder.display_name);
    await mail.mailboxCreate('Zürich');
    await mail.append('Zürich', letter({ name: 'trip' }), ['\\Seen']);
    const { id } = await found('trip', `&in=${encodeURIComponent('Zürich')}`);

    await mail.mailboxRename('Zürich', 'Geneva');
    expect(await found('trip', '&in=Geneva')).toMatchObject({ id });
    expect(await folders()).toEqual(expect.arrayContaining(['Geneva']));
    expect(await folders()).not.toContain('Zürich');

    await mail.mailboxDelete('Geneva');
    await eventually('the deletion', async () => (await ada.api.get(`/messages/${id}`)).status === 404);
    await eventually('the end of the folder', async () => !(await folders()).includes('Geneva'));
  });

  it('moving a branch of folders elsewhere, and going back, keeps what is in them', async () => {
    await mail.mailboxCreate('Trips');
    for (const [at, place] of ['Trips/Alps', 'Trips/Alps/Huts', 'Trips/Sea'].entries()) {
      await mail.mailboxCreate(place);
      // Different counts, so that the folders can be told apart without a MAILBOXID.
      for (let n = 0; n <= at; n += 1)
        await mail.append(place, letter({ name: `${place.replaceAll('/', '-')}-${n}` }), ['\\Seen']);
    }
    const names = [
      'Trips-Alps-0',
      'Trips-Alps-Huts-0',
      'Trips-Alps-Huts-1',
      'Trips-Sea-0',
      'Trips-Sea-1',
      'Trips-Sea-2',
    ];
    const ids = async () => Promise.all(names.map(async (name) => (await found(name)).id));
    const before = await ids();
    const at = async (path: string) => (await list(`in=${encodeURIComponent(path)}`)).length;
    for (const [from, to] of [
      ['Trips', 'Old/Journeys'],
      ['Old/Journeys', 'Trips'],
    ] as const) {
      if (to.includes('/')) await mail.mailboxCreate('Old');
      await mail.mailboxRename(from, to);
      await eventually(`mail under ${to}`, async () => (await at(`${to}/Alps/Huts`)) === 2);
      await eventually(`all mail under ${to}`, async () => (await at(`${to}/Sea`)) === 3);
      await becomes('running');
      expect(await ids()).toEqual(before);
      expect(await list('subject=Trips-Sea-0')).toHaveLength(1);
    }
    for (const place of ['Trips/Alps/Huts', 'Trips/Alps', 'Trips/Sea', 'Trips', 'Old']) await mail.mailboxDelete(place);
    await eventually('the deletion', async () => (await find(names[0]!)) === undefined);
    await eventually('the end of the branch', async () => (await find(names[5]!)) === undefined);
  });

  it('connecting the mailbox again: account, messages and threads keep their ids', async () => {
    const ids = async () => ({
      messages: (await ada.api.ok<string[]>('/messages?view=ids')).toSorted(),
      threads: (await ada.api.ok<string[]>('/threads?view=ids')).toSorted(),
    });
    const before = await ids();
    const again = await product.connect();
    expect(again.id).toBe(ada.id);
    await deliver('after-connecting-again');
    const { id } = await found('after-connecting-again');
    const after = await ids();
    expect(after.messages.filter((each) => each !== id)).toEqual(before.messages);
    expect(after.threads).toEqual(expect.arrayContaining(before.threads));
    await act('INBOX', 'after-connecting-again', (uids) => mail.messageDelete(uids, { uid: true }));
    await eventually('the deletion', async () => (await ada.api.get(`/messages/${id}`)).status === 404);
  });

  it('renumbering a folder: messages keep their ids, and the log tells', async () => {
    const before = await ada.api.ok<string[]>('/messages?in=archive&view=ids');
    expect(before).toHaveLength(3);
    const first = (await mail.status('Archive', { uidValidity: true })) as { uidValidity: bigint };

    await product.installation.command(['account', 'stop', 'ada@example.com']);
    await renumber(mail, 'Archive');
    expect(await mail.status('Archive', { uidValidity: true })).not.toEqual(first);
    await product.installation.command(['account', 'start', 'ada@example.com']);

    const events = () => ada.api.ok<{ events: { kind: string }[] }>('/status').then((status) => status.events);
    await eventually('the reset', async () => (await events()).some(({ kind }) => kind === 'folder.reset'));
    await eventually('all mail', async () => (await list('in=archive')).length === 3);
    await becomes('running');
    expect((await ada.api.ok<string[]>('/messages?in=archive&view=ids')).toSorted()).toEqual(before.toSorted());
  });

  it('stopping, starting and removing the account on the command line', async () => {
    expect(await product.command('account', 'stop', 'ada@example.com')).toContain('sync is off');
    await becomes('stopped');
    await deliver('meanwhile');
    expect(await find('first')).toBeDefined();

    await product.command('account', 'start', 'ada@example.com');
    await found('meanwhile');
    await becomes('running');
    const accounts = async () => JSON.parse(await product.command('account', 'list', '--json')) as { synced: number }[];
    await eventually('all that was renumbered', async () => (await accounts())[0]?.synced === 5);
    expect(await accounts()).toMatchObject([{ account_id: ada.id, sync_state: 'running', synced: 5, total: 5 }]);

    await product.command('account', 'remove', ada.id);
    await eventually('the end of its tokens', async () => (await ada.api.get('/threads')).status === 401);
    for (const table of ['accounts', 'messages', 'threads', 'message_uids', 'categories', 'grants', 'account_events'])
      expect(await product.installation.query(`SELECT 1 FROM ${table}`)).toEqual([]);
    expect(await mail.status('INBOX', { messages: true })).toMatchObject({ messages: 2 });
  });
});
