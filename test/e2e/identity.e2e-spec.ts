import type { ImapFlow } from 'imapflow';

import type { TestDelta } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import { answering, letter, messageId } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { renumber } from '../support/renumber.js';

const condstore =
  'IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS MOVE SPECIAL-USE ESEARCH ENABLE CONDSTORE LIST-EXTENDED LIST-STATUS';

interface Item {
  readonly id: string;
  readonly thread_id: string;
  readonly folder: { readonly display_name: string };
}

describe.each([
  ['QRESYNC', {}],
  ['CONDSTORE', { capabilities: condstore }],
  ['nothing but IMAP4rev1', { capabilities: 'IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE' }],
])('what GET /delta tells of mail on a server with %s', (server, dovecot) => {
  let product: Product;
  let mail: ImapFlow;
  /** Moves by the command MOVE, which one of the servers does not announce but has all the same. */
  let mover: ImapFlow;
  let ada: ConnectedAccount;
  let sentinels = 0;

  beforeAll(async () => {
    product = await Product.start({ dovecot });
    mail = await product.mailProgram();
    mover = await product.mailProgram();
    mover.capabilities.set('MOVE', true);
    for (const name of ['one', 'two', 'three', 'four', 'five'])
      await mail.append('INBOX', letter({ name }), ['\\Seen']);
    await mail.append('Archive', letter({ name: 'filed' }), ['\\Seen']);
    ada = await product.connect();
    await isRunning();
  });
  afterAll(() => product?.stop());

  const isRunning = () =>
    eventually(
      'the running state',
      async () => (await ada.api.ok<{ sync_state: string }>('/status')).sync_state === 'running',
    );
  const find = async (subject: string, more = '') =>
    (await ada.api.ok<Item[]>(`/messages?subject=${subject}${more}`))[0];
  let seq = '0';
  const latest = async () => {
    seq = (await product.installation.query<{ seq: string }>('SELECT max(seq) AS seq FROM changes'))[0]!.seq;
    return ada.api.latestCursor();
  };
  const deltas = async (cursor: string) =>
    (await ada.api.ok<{ deltas: TestDelta[] }>(`/delta?cursor=${cursor}`)).deltas;
  /** What was told since a cursor once everything is settled: no message is without a place, and new mail is seen. */
  const told = async (cursor: string) => {
    const noOrphans = async () =>
      (await product.installation.query('SELECT 1 FROM messages WHERE orphaned_at IS NOT NULL')).length === 0;
    await eventually('a place for every message', noOrphans);
    await mail.append('INBOX', letter({ name: `sentinel-${(sentinels += 1)}` }), ['\\Seen']);
    const sentinel = await eventually('the sentinel', () => find(`sentinel-${sentinels}`));
    await eventually('a place for every message', noOrphans);
    await isRunning();
    // A page of the feed would tell of an object that went and came back as one that was modified.
    const tornInLog = await product.installation.query(
      `SELECT object_type FROM changes WHERE seq > $1 GROUP BY object_type, object_id
       HAVING bool_or(event = 'delete') AND bool_or(event = 'create')`,
      [seq],
    );
    expect(tornInLog).toEqual([]);
    return (await deltas(cursor))
      .filter(({ id }) => id !== sentinel.id && id !== sentinel.thread_id)
      .map(({ event, object, id }) => `${event} ${object} ${id}`)
      .toSorted();
  };
  const uidsOf = async (subjects: readonly string[], program = mail) => {
    const uids = await Promise.all(
      subjects.map(
        async (name) => (await program.search({ header: { 'message-id': messageId(name) } }, { uid: true })) || [],
      ),
    );
    return uids.flat().join(',');
  };
  const modified = (items: readonly Item[]) =>
    items.flatMap(({ id, thread_id }) => [`modify message ${id}`, `modify thread ${thread_id}`]).toSorted();
  const isOnlyIn = (subject: string, folder: string) =>
    eventually(`${subject} in ${folder} only`, async () => {
      const places = await product.installation.query<{ path: string }>(
        `SELECT path FROM messages message JOIN message_uids place ON place.message_id = message.id
         JOIN categories folder ON folder.id = place.folder_id WHERE subject = $1`,
        [subject],
      );
      return places.map(({ path }) => path).join() === folder;
    });

  it('one change of message and thread for a move by MOVE', async () => {
    const before = (await find('one'))!;
    const cursor = await latest();
    await mover.mailboxOpen('INBOX');
    await mover.messageMove({ subject: 'one' }, 'Archive');
    await mover.mailboxClose();
    await isOnlyIn('one', 'Archive');
    expect(await told(cursor)).toEqual(modified([before]));
    expect(await find('one')).toMatchObject({ id: before.id, folder: { display_name: 'Archive' } });
  });

  it('one change of each for a move of several by COPY and EXPUNGE', async () => {
    const names = ['two', 'three'];
    const before = await Promise.all(names.map(async (name) => (await find(name))!));
    const cursor = await latest();
    await mail.mailboxOpen('INBOX');
    const uids = await uidsOf(names);
    await mail.messageCopy(uids, 'Archive', { uid: true });
    await mail.messageDelete(uids, { uid: true });
    await mail.mailboxClose();
    for (const name of names) await isOnlyIn(name, 'Archive');
    expect(await told(cursor)).toEqual(modified(before));
  });

  it('one change of each for a move by a program that had copied long before', async () => {
    const before = (await find('four'))!;
    await mail.mailboxOpen('INBOX');
    await mail.messageCopy(await uidsOf(['four']), 'Archive', { uid: true });
    await eventually('the copy', () => find('four', '&in=archive'));
    const cursor = await latest();
    await mail.messageDelete(await uidsOf(['four']), { uid: true });
    await mail.mailboxClose();
    await isOnlyIn('four', 'Archive');
    expect(await told(cursor)).toEqual(modified([before]));
  });

  it('one change of each for a move into the folder that is watched', async () => {
    const names = ['one', 'two'];
    const before = await Promise.all(names.map(async (name) => (await find(name))!));
    const cursor = await latest();
    await mover.mailboxOpen('Archive');
    await mover.messageMove(await uidsOf(names, mover), 'INBOX', { uid: true });
    await mover.mailboxClose();
    for (const name of names) await isOnlyIn(name, 'INBOX');
    expect(await told(cursor)).toEqual(modified(before));
  });

  it('nothing of messages when their folder is renumbered', async () => {
    await isOnlyIn('filed', 'Archive');
    // A copy elsewhere tells just as little.
    await mail.mailboxOpen('Archive');
    await mail.messageCopy(await uidsOf(['three']), 'Trash', { uid: true });
    await mail.mailboxClose();
    await eventually('the copy', () => find('three', '&in=trash'));
    const before = await ada.api.ok<string[]>('/messages?in=archive&view=ids');
    const cursor = await latest();
    await product.command('account', 'stop', 'ada@example.com');
    await renumber(mail, 'Archive');
    await product.command('account', 'start', 'ada@example.com');
    await eventually('the reset', async () =>
      (await ada.api.ok<{ events: { kind: string }[] }>('/status')).events.some(({ kind }) => kind === 'folder.reset'),
    );
    for (const name of ['filed', 'four']) await isOnlyIn(name, 'Archive');
    expect(await told(cursor)).toEqual([]);
    expect((await ada.api.ok<string[]>('/messages?in=archive&view=ids')).toSorted()).toEqual(before.toSorted());
  });

  it('the folder, and no message, when a folder is renamed', async () => {
    await mail.mailboxCreate('Plans');
    await mail.append('Plans', letter({ name: 'plan' }), ['\\Seen']);
    const { id } = await eventually('the plan', () => find('plan'));
    await isRunning();
    const [folder] = await ada.api
      .ok<{ id: string; display_name: string }[]>('/folders')
      .then((folders) => folders.filter(({ display_name: name }) => name === 'Plans'));
    const cursor = await latest();
    await mail.mailboxRename('Plans', 'Ideas');
    await isOnlyIn('plan', 'Ideas');
    const changes = await told(cursor);
    // A server that does not count while it lists gives nothing to know the folder by.
    if (server !== 'nothing but IMAP4rev1') expect(changes).toEqual([`modify folder ${folder!.id}`]);
    expect(changes.filter((what) => /(create|delete) (message|thread)/.test(what))).toEqual([]);
    expect(await find('plan')).toMatchObject({ id });
  });

  it('nothing when the account is connected again', async () => {
    const cursor = await latest();
    expect((await product.connect()).id).toBe(ada.id);
    expect(await told(cursor)).toEqual([]);
  });

  it('which threads have become one, and which message went where', async () => {
    await mail.append('INBOX', letter({ name: 'a', subject: 'ask' }), ['\\Seen']);
    const { thread_id: oldest } = await eventually('the question', () => find('ask'));
    await mail.append('INBOX', letter({ name: 'c', subject: 'thanks', headers: answering('b') }), ['\\Seen']);
    const thanks = await eventually('the thanks', () => find('thanks'));
    expect(thanks.thread_id).not.toBe(oldest);
    const cursor = await latest();
    await mail.append('INBOX', letter({ name: 'b', subject: 'reply', headers: answering('a') }), ['\\Seen']);
    const reply = await eventually('the answer', () => find('reply'));
    expect(await told(cursor)).toEqual(
      [
        `create message ${reply.id}`,
        `modify message ${thanks.id}`,
        `modify thread ${oldest}`,
        `delete thread ${thanks.thread_id}`,
      ].toSorted(),
    );
    const [moved] = (await deltas(cursor)).filter(({ id }) => id === thanks.id);
    expect(moved!.attributes).toMatchObject({ thread_id: oldest });
    expect((await ada.api.get(`/threads/${thanks.thread_id}`)).status).toBe(404);
  });
});
