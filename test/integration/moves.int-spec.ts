import type { ImapFlow } from 'imapflow';

import { AccountWriter } from '#libs/changes/account-writer.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { AccountState } from '#libs/sync/account-state.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { FolderRound } from '#libs/sync/folder-round.js';
import { voidUids } from '#libs/sync/mail/uid-changes.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { letter, messageId } from '../support/letters.js';

/** Between two sessions of an account much may happen; each message that was moved meanwhile changed once. */
describe('a move that a session finds out about', () => {
  let engine: Engine;
  let mail: ImapFlow;
  let accountId: string;
  let session: { stop: () => Promise<void> };

  beforeAll(async () => {
    engine = await Engine.start();
    mail = await engine.client();
    accountId = await engine.addAccount();
    session = await engine.watch(accountId);
    await eventually('the running state', async () => {
      await engine.backfill(accountId);
      return (await engine.rows(`SELECT 1 FROM accounts WHERE sync_state = 'running'`))[0];
    });
  });
  afterAll(async () => {
    await mail.logout();
    await engine.stop();
  });

  const places = (name: string) =>
    engine.rows<{ path: string }>(
      `SELECT path FROM messages message JOIN message_uids place ON place.message_id = message.id
       JOIN categories folder ON folder.id = place.folder_id WHERE message_id_header = $1 ORDER BY path`,
      [messageId(name).slice(1, -1)],
    );
  const isIn = (name: string, ...folders: string[]) =>
    eventually(
      `${name} in ${folders.join(' and ')}`,
      async () => (await places(name)).map(({ path }) => path).join() === folders.join(),
    );
  const seenOrNot = async (name: string) =>
    (
      await engine.rows<{ seen: boolean }>(
        `SELECT '\\Seen' = ANY(flags) AS seen FROM messages message JOIN message_uids place
         ON place.message_id = message.id WHERE message_id_header = $1 ORDER BY seen`,
        [messageId(name).slice(1, -1)],
      )
    ).map(({ seen }) => seen);
  const open = async (folder: string, name: string) => {
    await mail.mailboxOpen(folder);
    return ((await mail.search({ header: { 'message-id': messageId(name) } }, { uid: true })) || []).join();
  };
  /** Lets the session miss something. @returns what the log tells of the message afterwards */
  const missing = async (name: string, deed: () => Promise<unknown>, ...folders: string[]) => {
    await session.stop();
    const [before] = await engine.rows<{ seq: string }>('SELECT max(seq) AS seq FROM changes');
    await deed();
    session = await engine.watch(accountId);
    await isIn(name, ...folders);
    return engine.rows(
      `SELECT event FROM changes JOIN messages ON messages.id = object_id
       WHERE seq > $1 AND object_type = 'message' AND message_id_header = $2`,
      [before!.seq, messageId(name).slice(1, -1)],
    );
  };

  it.each([
    ['Archive', 'Trash'],
    ['Trash', 'Archive'],
  ])('is one change when one of two copies left %s for %s', async (from, to) => {
    const name = `twice-in-${from.toLowerCase()}`;
    await mail.append(from, letter({ name }), ['\\Seen']);
    const uid = await open(from, name);
    await mail.messageCopy(uid, from, { uid: true });
    await mail.messageFlagsRemove(await open(from, name), ['\\Seen'], { uid: true });
    await mail.messageFlagsAdd(uid, ['\\Seen'], { uid: true });
    await isIn(name, from, from);
    await eventually('one of them unread', async () => (await seenOrNot(name)).join() === 'false,true');
    const move = () => mail.messageMove(uid, to, { uid: true });
    expect(await missing(name, move, ...[from, to].toSorted())).toEqual([{ event: 'modify' }]);
  });

  it('is one change when it left a folder of which void numbers were still to be dropped', async () => {
    await mail.append('Trash', letter({ name: 'renumbered' }));
    await isIn('renumbered', 'Trash');
    const uid = await open('Trash', 'renumbered');
    const changes = await missing(
      'renumbered',
      async () => {
        const [folder] = await engine.rows<{ id: string }>(`SELECT id FROM categories WHERE path = 'Trash'`);
        await engine.app.get(AccountWriter).write(accountId, (tx) => voidUids(tx, folder!.id));
        await engine.rows('UPDATE folder_syncs SET swept_at = NULL WHERE folder_id = $1', [folder!.id]);
        await mail.messageMove(uid, 'Archive', { uid: true });
      },
      'Archive',
    );
    expect(changes).toEqual([{ event: 'modify' }]);
  });

  it('is one change when it went to a new folder, of which nothing is left to be read as old mail', async () => {
    await mail.append('Trash', letter({ name: 'pioneer' }));
    await isIn('pioneer', 'Trash');
    const settle = async () => {
      await mail.mailboxCreate('A new one');
      await mail.messageMove(await open('Trash', 'pioneer'), 'A new one', { uid: true });
    };
    expect(await missing('pioneer', settle, 'A new one')).toEqual([{ event: 'modify' }]);
  });

  it('is no deletion when the message was always where nobody looked', async () => {
    const name = 'fugitive';
    await mail.append('INBOX', letter({ name }));
    await isIn(name, 'INBOX');
    await session.stop();
    const ids = () =>
      engine.rows('SELECT id FROM messages WHERE message_id_header = $1', [messageId(name).slice(1, -1)]);
    const before = await ids();
    const move = async (from: string, to: string) => mail.messageMove(await open(from, name), to, { uid: true });
    await move('INBOX', 'Trash');
    await round({ Trash: () => move('Trash', 'Sent') });
    expect(await places(name)).toEqual([]);
    await round({ Sent: () => move('Sent', 'Trash') });
    expect(await ids()).toEqual(before);
    await round({});
    expect(await places(name)).toEqual([{ path: 'Trash' }]);
    expect(await ids()).toEqual(before);
    session = await engine.watch(accountId);
  });

  /** Looks at every folder once. Just before the changes of a folder are asked for, what is said here happens. */
  async function round(interludes: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
    const { epoch } = (await engine.app.get(AccountState).claim(accountId))!;
    const source = new OneConnection(async () => {
      const driver = await engine.app.get(Connections).openMail(accountId);
      const changes: MailDriver['changes'] = async function* (path, ...rest) {
        await interludes[path]?.();
        yield* driver.changes(path, ...rest);
      };
      return new Proxy(driver, { get: (target, key) => (key === 'changes' ? changes : memberOf(target, key)) });
    });
    const account = { id: accountId, owner: 'ada@example.com', epoch };
    const { signal } = new AbortController();
    try {
      const watch = { account, source, signal, roundAt: 0, arrivedAt: 0, main: null, settled: null };
      await engine.app.get(FolderRound).run(watch);
    } finally {
      await source.discard();
    }
  }
});

function memberOf(driver: MailDriver, key: string | symbol): unknown {
  const member: unknown = Reflect.get(driver, key);
  return typeof member === 'function' ? member.bind(driver) : member;
}
