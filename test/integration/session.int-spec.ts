import type { ImapFlow } from 'imapflow';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { voidUids } from '#libs/sync/mail/uid-changes.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';

const letter = (id: string, headers = '') =>
  `Message-ID: <${id}@x>\r\nFrom: Bob <bob@x>\r\nTo: ada@example.com\r\nSubject: ${id}\r\n${headers}\r\nHello ${id}.\r\n`;

const plain = 'IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS MOVE CHILDREN SPECIAL-USE ESEARCH';

describe.each([
  ['QRESYNC', {}],
  ['CONDSTORE only', { capabilities: `${plain} ENABLE CONDSTORE LIST-EXTENDED LIST-STATUS` }],
  ['neither', { capabilities: plain }],
])('a session on a server with %s', (name, dovecot) => {
  let engine: Engine;
  let client: ImapFlow;
  let accountId: string;

  beforeAll(async () => {
    engine = await Engine.start({ dovecot });
    client = await engine.client();
    for (let n = 1; n <= 120; n += 1) await client.append('INBOX', letter(`old${n}`), n % 2 ? ['\\Seen'] : []);
    await client.append('Sent', letter('sent1', 'In-Reply-To: <old1@x>\r\n'), ['\\Seen']);
    accountId = await engine.addAccount();
    await engine.watch(accountId, { again: true });
  });
  afterAll(async () => {
    client.close();
    await engine.stop();
  });

  const messages = () =>
    engine.rows<{ id: string; subject: string; unread: boolean; starred: boolean; folders: string[] }>(
      `SELECT message.id, subject, unread, starred, thread_id,
              (SELECT array_agg(DISTINCT folder.path) FROM message_uids place JOIN categories folder ON folder.id = folder_id
               WHERE place.message_id = message.id) AS folders
       FROM messages message ORDER BY received_at, subject`,
    );
  const find = async (subject: string) => (await messages()).find((message) => message.subject === subject);

  it('shows the newest mail first and reads the rest in slices', async () => {
    await eventually('newest mail', async () => (await messages()).length >= 50);
    await eventually('all mail', async () => {
      await engine.backfill(accountId);
      return (await messages()).length === 121;
    });
    await eventually('the running state', async () => {
      await engine.backfill(accountId);
      return (await engine.rows(`SELECT 1 FROM accounts WHERE sync_state = 'running'`))[0];
    });
    expect(await find('old2')).toMatchObject({ unread: true, folders: ['INBOX'] });
    expect(await find('old1')).toMatchObject({ unread: false });
    const [thread] = await engine.rows<{ ids: string[] }>(
      `SELECT array_agg(subject ORDER BY subject) AS ids FROM messages GROUP BY thread_id HAVING count(*) > 1`,
    );
    expect(thread!.ids).toEqual(['old1', 'sent1']);
  });

  it('sees new mail, flags, moves and deletions by another client', async () => {
    await client.append('INBOX', letter('fresh'));
    const { id } = await eventually('new mail', () => find('fresh'));
    const [thread] = await engine.rows<{ unseen: boolean }>(`SELECT unseen FROM threads WHERE subject = 'fresh'`);
    expect(thread).toEqual({ unseen: true });

    await client.mailboxOpen('INBOX');
    const uids = await client.search({ subject: 'fresh' }, { uid: true });
    const range = (uids as number[]).join(',');
    await client.messageFlagsAdd(range, ['\\Seen', '\\Flagged'], { uid: true });
    await eventually('flags', async () => {
      const message = await find('fresh');
      return message?.starred && !message.unread;
    });

    await client.messageMove(range, 'Archive', { uid: true });
    await eventually('the move', async () => (await find('fresh'))?.folders?.join() === 'Archive');
    expect(await find('fresh')).toMatchObject({ id });

    await client.mailboxOpen('Archive');
    await client.messageDelete('1:*');
    await eventually('the deletion', async () => (await find('fresh')) === undefined);
    expect(await messages()).toHaveLength(121);
  });

  it('follows folders: new, renamed, deleted', async () => {
    await client.mailboxCreate('Projects');
    await client.append('Projects', letter('plan'));
    await eventually('the new folder', async () => {
      await engine.backfill(accountId);
      return find('plan');
    });
    const { id } = (await find('plan'))!;
    const [before] = await engine.rows<{ seq: string }>('SELECT max(seq) AS seq FROM changes');
    await client.mailboxRename('Projects', 'Plans');
    await eventually('the new name', async () => {
      await engine.backfill(accountId);
      return (await find('plan'))?.folders?.join() === 'Plans';
    });
    expect(await find('plan')).toMatchObject({ id });
    // Only the folder changed, and nobody has to read its messages again; but without LIST-STATUS it looks like another.
    // (That the account is done with the new folder may be told as late as this.)
    const changes = await engine.rows<{ what: string }>(
      `SELECT DISTINCT object_type || ' ' || event AS what FROM changes WHERE seq > $1 AND object_type NOT IN ('account', 'notice')`,
      [before!.seq],
    );
    if (name === 'neither') expect(changes).toContainEqual({ what: 'folder create' });
    else expect(changes).toEqual([{ what: 'folder modify' }]);
    await client.mailboxDelete('Plans');
    await eventually('the deletion', async () => (await find('plan')) === undefined);
    expect(await engine.rows(`SELECT 1 FROM categories WHERE path IN ('Plans', 'Projects')`)).toEqual([]);
  });

  it.each([
    ['Parent', 'listed but cannot be opened'],
    ['Renumbered', 'gone while it was read anew under other numbers'],
  ])(
    'is not held up by a folder %s that is %s',
    async (parent) => {
      for (const path of [parent, `${parent}/Child`]) await client.mailboxCreate(path);
      await client.append(parent, letter('lost'));
      await client.append('INBOX', letter('doomed'));
      await eventually('the mail', async () => {
        await engine.backfill(accountId);
        return (await find('lost')) && (await find('doomed'));
      });

      // Dovecot goes on listing it for the sake of the folder below.
      await client.mailboxDelete(parent);
      expect((await client.list()).map(({ path }) => path)).toContain(parent);
      if (parent === 'Renumbered') {
        const [folder] = await engine.rows<{ id: string }>('SELECT id FROM categories WHERE path = $1', [parent]);
        await engine.app.get(AccountWriter).write(accountId, (tx) => voidUids(tx, folder!.id));
        await engine.rows('UPDATE folder_syncs SET cursor = NULL WHERE folder_id = $1', [folder!.id]);
      }
      await client.mailboxOpen('INBOX');
      await client.messageDelete((await client.search({ subject: 'doomed' }, { uid: true })) as number[], {
        uid: true,
      });
      await eventually('the deletions', async () => {
        await engine.rows('UPDATE folder_syncs SET retry_at = NULL WHERE retry_at IS NOT NULL');
        return !(await find('lost')) && !(await find('doomed'));
      });
      expect(await find('old2')).toBeDefined();
      // Once, though it failed many times.
      const complaints = await engine.rows(
        `SELECT message FROM account_events WHERE kind = 'folder.failing' AND message LIKE $1`,
        [`% ${parent}.`],
      );
      expect(complaints).toEqual([{ message: `Not found on the mail server while opening ${parent}.` }]);
    },
    60_000,
  );
});
