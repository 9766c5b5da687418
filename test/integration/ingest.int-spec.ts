import { refreshThreads } from '#libs/domain/threads/refresh-threads.js';
import type { ReadMessage } from '#libs/sync/mail/ingest.js';
import { storeBatch } from '#libs/sync/mail/store-batch.js';
import { applyFlags, deleteOrphans, dropUids } from '#libs/sync/mail/uid-changes.js';

import { MailStore, readMessage } from '../support/mail-store.js';

const mail = (id: string, headers = '', body = 'Hello.') =>
  `Message-ID: <${id}@x>\nFrom: Ada <ada@x>\nTo: me@x\nSubject: ${id}\n${headers}\n${body}\n`;

describe('storing mail', () => {
  let store: MailStore;
  beforeEach(async () => {
    store = await MailStore.create();
  });
  afterEach(async () => {
    const miscounted = await store.miscounted();
    await store.stop();
    expect(miscounted).toEqual([]);
  });

  const tx = <T>(work: Parameters<MailStore['writer']['write']>[1]) =>
    store.writer.write(store.accountId, work) as Promise<T>;
  const target = () => ({ accountId: store.accountId, folder: store.folder('INBOX'), owner: 'me@x', uidNext: null });
  const message = async () => (await store.rows<Record<string, unknown>>('SELECT * FROM messages'))[0]!;

  it('stores a message once however often the batch comes', async () => {
    const batch = [readMessage(1, mail('a')), readMessage(1, mail('a')), readMessage(2, mail('b'))];
    await store.ingest('INBOX', batch);
    expect(await store.changesSince(0)).toEqual(['create message', 'create message', 'create thread', 'create thread']);
    const seq = await store.lastSeq();
    await store.ingest('INBOX', batch);
    expect(await store.changesSince(seq)).toEqual([]);
    expect(await store.rows('SELECT 1 FROM message_uids')).toHaveLength(2);
  });

  it('knows a copy in another folder as the same message', async () => {
    const original = readMessage(1, mail('a'));
    await store.ingest('INBOX', [original]);
    const seq = await store.lastSeq();
    await store.ingest('Archive', [{ ...original, uid: 70, flags: ['\\Seen'] }]);
    expect(await store.changesSince(seq)).toEqual(['modify message', 'modify thread']);
    expect(await message()).toMatchObject({
      unread: false,
      category_ids: [store.folder('INBOX').id, store.folder('Archive').id].toSorted(),
    });
  });

  it('keeps apart what only looks alike', async () => {
    await store.ingest('INBOX', [
      readMessage(1, mail('a')),
      readMessage(2, mail('a', 'X-Copy: second\n')),
      readMessage(3, mail('a'), { receivedAt: new Date(0) }),
      readMessage(4, mail('a'), { emailId: 'E1' }),
    ]);
    expect(await store.rows('SELECT 1 FROM messages')).toHaveLength(4);
  });

  it.each<[string, Partial<ReadMessage>]>([
    ['says it is larger than anything', { size: 99_999_999_999 }],
    ['says it is smaller than nothing', { size: -1 }],
    ['dates it beyond all calendars', { receivedAt: new Date(Date.UTC(12_345, 0, 1)) }],
    ['dates it before all calendars', { receivedAt: new Date(Date.UTC(-12_345, 0, 1)) }],
  ])('keeps a message of which the server %s', async (_what, lie) => {
    const outcome = {
      messages: [readMessage(1, mail('a'), lie), readMessage(2, mail('b'))],
      unreadable: [],
      absent: [],
    };
    await storeBatch(store.writer, target(), outcome, async () => {});
    expect(await store.rows('SELECT reason FROM poison_uids')).toEqual([]);
    expect(await store.rows('SELECT 1 FROM messages WHERE size >= 0')).toHaveLength(2);
  });

  it('keeps out only what the database refuses, and says so', async () => {
    const [refused, flagless] = [readMessage(1, mail('a'), { uid: 1e30 }), readMessage(2, mail('b'), { flags: null })];
    const outcome = { messages: [refused, flagless], unreadable: [{ uid: 3, reason: 'It is broken.' }], absent: [] };
    await store.rows('UPDATE folder_syncs SET drift_checked_at = now()');
    for (const _ of [1, 2]) await storeBatch(store.writer, target(), outcome, async () => {});
    expect(await store.rows('SELECT uid FROM message_uids')).toEqual([{ uid: '2' }]);
    expect(await store.rows('SELECT uid, attempts FROM poison_uids ORDER BY uid')).toEqual([
      { uid: '1e+30', attempts: 2 },
      { uid: '3', attempts: 2 },
    ]);
    const events = await store.rows<{ kind: string }>('SELECT kind FROM account_events ORDER BY kind');
    expect(events.map(({ kind }) => kind)).toEqual([
      ...Array<string>(2).fill('message.flagless'),
      ...Array<string>(4).fill('message.unreadable'),
    ]);
    // Its flags are read when the folder is next compared with the server.
    const folder = 'SELECT drift_checked_at FROM folder_syncs WHERE folder_id = $1';
    expect(await store.rows(folder, [store.folder('INBOX').id])).toEqual([{ drift_checked_at: null }]);
  });

  it('takes a move by another client for one change, and keeps the id', async () => {
    const original = readMessage(1, mail('a'));
    await store.ingest('INBOX', [original]);
    const { id } = await message();
    const seq = await store.lastSeq();
    await tx((scope) => dropUids(scope, store.folder('INBOX').id, [1]));
    expect(await store.changesSince(seq)).toEqual([]);
    await store.ingest('Archive', [{ ...original, uid: 9 }]);
    expect(await store.changesSince(seq)).toEqual(['modify message', 'modify thread']);
    expect(await message()).toMatchObject({ id, category_ids: [store.folder('Archive').id], orphaned_at: null });
    expect(await tx((scope) => deleteOrphans(scope, new Date(Date.now() + 1000)))).toBe(0);
  });

  it('tells of a message that becomes a draft as one object gone and another made', async () => {
    await store.stop();
    store = await MailStore.create({ INBOX: 'inbox', Drafts: 'drafts' });
    const original = readMessage(1, mail('a'));
    await store.ingest('INBOX', [original]);
    let seq = await store.lastSeq();
    await store.ingest('Drafts', [original]);
    expect(await store.changesSince(seq)).toEqual(['delete message', 'create draft', 'modify thread']);
    seq = await store.lastSeq();
    await tx((scope) => dropUids(scope, store.folder('Drafts').id, [1]));
    expect(await store.changesSince(seq)).toEqual(['delete draft', 'create message', 'modify thread']);
  });

  it('tells of a draft when the message it answers comes, goes, or turns into a draft', async () => {
    const folders = { INBOX: 'inbox', Drafts: 'drafts' };
    await store.stop();
    store = await MailStore.create(folders);
    await store.ingest('Drafts', [readMessage(1, mail('answer', 'In-Reply-To: <question@x>\n'))]);
    const told = async (seq: number) => (await store.changesSince(seq)).filter((change) => change.endsWith(' draft'));
    let seq = await store.lastSeq();
    const question = readMessage(5, mail('question'));
    await store.ingest('INBOX', [question]);
    expect(await told(seq)).toEqual(['modify draft']);
    seq = await store.lastSeq();
    await store.ingest('Drafts', [{ ...question, uid: 2 }]);
    expect(await told(seq)).toEqual(['create draft', 'modify draft']);
    await tx((each) => dropUids(each, store.folder('Drafts').id, [2]));
    seq = await store.lastSeq();
    await tx((each) => dropUids(each, store.folder('INBOX').id, [5]));
    expect(await told(seq)).toEqual([]);
    await tx((each) => deleteOrphans(each, new Date(Date.now() + 1000)));
    expect(await told(seq)).toEqual(['modify draft']);
  });

  it('deletes a message without a place, with all that hangs on it', async () => {
    await store.ingest('INBOX', [readMessage(1, mail('a'))]);
    const seq = await store.lastSeq();
    await tx((scope) => dropUids(scope, store.folder('INBOX').id, [1]));
    expect(await tx((scope) => deleteOrphans(scope, new Date(0)))).toBe(0);
    expect(await tx((scope) => deleteOrphans(scope, new Date(Date.now() + 1000)))).toBe(1);
    expect(await store.changesSince(seq)).toEqual(['delete message', 'delete thread']);
    for (const table of [
      'messages',
      'message_bodies',
      'thread_participants',
      'message_uids',
      'files',
      'threads',
      'thread_categories',
    ]) {
      expect([table, await store.rows(`SELECT 1 FROM ${table}`)]).toEqual([table, []]);
    }
  });

  it('follows flags, and says so once', async () => {
    await store.ingest('INBOX', [readMessage(1, mail('a'))]);
    const seq = await store.lastSeq();
    await tx((scope) => applyFlags(scope, store.folder('INBOX').id, [{ uid: 1, flags: ['\\Seen', '\\Flagged'] }]));
    expect(await message()).toMatchObject({ unread: false, starred: true });
    expect(await store.changesSince(seq)).toEqual(['modify message', 'modify thread']);
    const again = await store.lastSeq();
    await tx((scope) =>
      applyFlags(scope, store.folder('INBOX').id, [{ uid: 1, flags: ['\\Flagged', '\\Seen', '$x'] }]),
    );
    expect(await store.changesSince(again)).toEqual([]);
  });

  it('merges two stored threads when a message proves them one; the older survives', async () => {
    await store.ingest('INBOX', [readMessage(1, mail('a')), readMessage(3, mail('c', 'In-Reply-To: <b@x>\n'))]);
    expect(await store.threads()).toEqual([['a@x'], ['c@x']]);
    const before = await store.rows<{ id: string }>('SELECT id FROM threads ORDER BY id');
    const seq = await store.lastSeq();
    await store.ingest('Sent', [readMessage(2, mail('b', 'In-Reply-To: <a@x>\n'))]);
    expect(await store.threads()).toEqual([['a@x', 'b@x', 'c@x']]);
    expect(await store.rows('SELECT id FROM threads')).toEqual([before[0]]);
    expect(await store.changesSince(seq)).toEqual(
      expect.arrayContaining(['create message', 'modify message', 'modify thread', 'delete thread']),
    );
    const stray = await store.rows(
      'SELECT 1 FROM thread_participants WHERE thread_id <> $1 UNION ALL SELECT 1 FROM thread_refs WHERE thread_id <> $1',
      [before[0]!.id],
    );
    expect(stray).toEqual([]);
  });

  it('joins a reply without references to its original, whichever is read first', async () => {
    const original = readMessage(1, mail('lunch'));
    const reply = readMessage(2, mail('other').replace('Subject: other', 'Subject: Re: lunch'));
    await store.ingest('INBOX', [reply]);
    await store.ingest('INBOX', [original]);
    expect(await store.threads()).toEqual([['lunch@x', 'other@x']]);
  });

  it('lists a thread under folders and states; unseen only for mail that just came', async () => {
    await store.ingest('INBOX', [readMessage(1, mail('old'))]);
    await store.ingest('INBOX', [readMessage(2, mail('new'))], true);
    const rows = await store.rows<{ subject: string; category: string }>(
      `SELECT subject, category FROM threads JOIN thread_categories ON thread_id = id ORDER BY 1, 2`,
    );
    const inbox = store.folder('INBOX').id;
    expect(rows.map((row) => [row.subject, row.category])).toEqual([
      ['new', inbox],
      ['new', 'unread'],
      ['new', 'unseen'],
      ['old', inbox],
      ['old', 'unread'],
    ]);
  });

  it('shows a thread the same whether made from the mail just read or from what is stored', async () => {
    const people =
      'Cc: "Grace \\"g\\" Hopper" <Grace@X>, =?utf-8?q?J=C3=BCrgen?= <j@x>, bare@x, "" <ADA@x>\nReply-To: r@x\n';
    const reply = 'References: <a@x>\nIn-Reply-To: <a@x>\n';
    const attached =
      'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nText \ud83d\ude00 \0 .\n--b\nContent-Type: image/png; name=a.png\n\nx\n--b--\n';
    const wild = `Subject: \ud83d\ude00 "\\ {a,b} \t<b>\u2028 \0 \ufffd\n`;
    const same = { receivedAt: new Date(1_700_000_000_123) };
    const twice = readMessage(7, mail('twice'));
    await store.ingest(
      'Sent',
      [
        readMessage(3, mail('c', reply), same),
        readMessage(2, mail('b', reply + people), { ...same, flags: ['\\Seen', '\\Flagged'] }),
        readMessage(1, mail('a', people)),
        readMessage(4, mail('d', attached)),
        readMessage(5, `Message-ID: <e@x>\n${wild}${people}\n`),
        readMessage(6, '', { receivedAt: null }),
        twice,
        { ...twice, uid: 8, flags: ['\\Seen'] },
      ],
      true,
    );
    const threads = await store.rows<{ id: string; rendered: string }>('SELECT id, rendered FROM threads');
    expect(threads).toHaveLength(5);
    const again = await tx((scope) =>
      refreshThreads(
        scope,
        store.accountId,
        threads.map(({ id }) => id),
      ),
    );
    expect(again).toEqual({ created: [], modified: [], deleted: [] });
  });

  it('numbers changes without gaps, under concurrent writers too', async () => {
    const writers = Array.from({ length: 8 }, (_, index) =>
      store.ingest('INBOX', [readMessage(index + 1, mail(`m${index}`))]),
    );
    await Promise.all(writers);
    const rows = await store.rows<{ seq: string }>('SELECT seq FROM changes ORDER BY seq');
    expect(rows.map((row) => Number(row.seq))).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  });
});
