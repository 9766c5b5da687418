import { DriftStore } from '#libs/sync/mail/drift-store.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { ObjectIdServer, type StoredLetter } from '../support/object-id-server.js';

const stored = (emailId: string, threadId: string | null = null, name = emailId): StoredLetter => ({
  emailId,
  threadId,
  source: letter({ name, date: new Date(1_700_000_000_000) }),
});

interface Known {
  readonly id: string;
  readonly thread_id: string;
  readonly folders: string[];
}

describe('a server with OBJECTID (RFC 8474)', () => {
  let engine: Engine;
  let server: ObjectIdServer;
  let accountId: string;

  beforeAll(async () => {
    server = await ObjectIdServer.start('INBOX', 'Archive', 'Blue', 'Green');
    server.append('INBOX', stored('M1', 'T1', 'first'));
    server.append('INBOX', stored('M2', 'T2', 'second'));
    server.append('Blue', stored('M3', null, 'sky'));
    server.append('Green', stored('M4', null, 'grass'));
    engine = await Engine.start();
    accountId = await engine.addAccount(server.port);
    await engine.watch(accountId);
    await eventually('all mail', async () => {
      await engine.backfill(accountId);
      return (await engine.rows(`SELECT 1 FROM accounts WHERE sync_state = 'running'`))[0];
    });
  });
  afterAll(async () => {
    await engine?.stop();
    await server?.stop();
  });

  const known = async (subject: string): Promise<Known[]> =>
    engine.rows<Known>(
      `SELECT message.id, thread_id, array_agg(folder.path ORDER BY folder.path) AS folders FROM messages message
       JOIN message_uids place ON place.message_id = message.id JOIN categories folder ON folder.id = place.folder_id
       WHERE subject = $1 GROUP BY message.id, thread_id`,
      [subject],
    );
  const one = async (subject: string) => {
    const found = await known(subject);
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const isIn = (subject: string, ...folders: string[]) =>
    eventually(`${subject} in ${folders.join()}`, async () => {
      await engine.backfill(accountId);
      return (await known(subject))[0]?.folders.join() === folders.join();
    });
  const newest = async () => (await engine.rows<{ seq: string }>('SELECT max(seq) AS seq FROM changes'))[0]!.seq;
  const told = async (seq: string) =>
    (
      await engine.rows<{ what: string }>(
        `SELECT object_type || ' ' || event AS what FROM changes
         WHERE seq > $1 AND object_type NOT IN ('account', 'notice') ORDER BY seq`,
        [seq],
      )
    ).map(({ what }) => what);

  it('takes mail with one EMAILID for one message, whatever its copies look like', async () => {
    const { id } = await one('first');
    const seq = await newest();
    server.copy('INBOX', 'M1', 'Archive');
    await isIn('first', 'Archive', 'INBOX');
    server.remove('INBOX', 'M1');
    await isIn('first', 'Archive');
    expect(await one('first')).toMatchObject({ id });
    expect(new Set(await told(seq))).toEqual(new Set(['message modify', 'thread modify']));
  });

  it('keeps mail apart that only looks the same', async () => {
    server.append('INBOX', stored('M5', null, 'twin'));
    server.append('INBOX', stored('M6', null, 'twin'));
    await eventually('both', async () => (await known('twin')).length === 2);
  });

  it('joins what has one THREADID', async () => {
    const { thread_id } = await one('second');
    server.append('INBOX', stored('M7', 'T2', 'no-reference'));
    await isIn('no-reference', 'INBOX');
    expect(await one('no-reference')).toMatchObject({ thread_id });
  });

  it('knows renamed folders by MAILBOXID, though their counts are the same', async () => {
    const seq = await newest();
    const ids = () =>
      engine.rows(`SELECT id, right(path, 4) AS name FROM categories WHERE path ~ 'Blue|Green|Sky|Lawn'`);
    const before = new Map((await ids()).map((row) => [row['id'], row['name']]));
    server.rename('Blue', 'Sky');
    server.rename('Green', 'Lawn');
    await isIn('sky', 'Sky');
    await isIn('grass', 'Lawn');
    expect(new Set((await ids()).map((row) => row['id']))).toEqual(new Set(before.keys()));
    expect(await told(seq)).toEqual(['folder modify', 'folder modify']);
  });

  it('notices two folders that changed places under one UIDVALIDITY', async () => {
    const ids = [(await one('sky')).id, (await one('grass')).id];
    server.swap('Sky', 'Lawn');
    // Nothing else tells: the next change in them makes the session open them.
    server.append('Sky', stored('M8', null, 'dew'));
    server.append('Lawn', stored('M9', null, 'cloud'));
    await isIn('grass', 'Sky');
    await isIn('sky', 'Lawn');
    expect([(await one('sky')).id, (await one('grass')).id]).toEqual(ids);
  });

  it('asks again for mail that its cluster counts before it has it', async () => {
    server.elsewhere.add('M10').add('M11');
    server.append('INBOX', stored('M10', null, 'late'));
    server.append('INBOX', stored('M11', null, 'never'));
    const resting = () => engine.rows<{ uid: string }>('SELECT uid FROM poison_uids');
    await eventually('their absence', async () => (await resting()).length === 2);
    server.elsewhere.delete('M10');
    server.remove('INBOX', 'M11');
    await isIn('late', 'INBOX');
    for (let tries = 0; tries < 3; tries += 1) {
      await engine.rows(`UPDATE poison_uids SET updated_at = now() - interval '1 hour'`);
      // Time that passes is foreseen, a row that is changed is not: the session looks when something else happens.
      server.append('INBOX', stored(`M12-${tries}`));
      await isIn(`M12-${tries}`, 'INBOX');
      await eventually(
        'another try',
        async () =>
          (await engine.rows(`SELECT 1 FROM poison_uids WHERE updated_at < now() - interval '1 minute'`)).length === 0,
      );
    }
    expect(await resting()).toEqual([]);
    expect(await engine.rows(`SELECT 1 FROM account_events WHERE kind = 'message.unreadable'`)).toEqual([]);
  });

  it('asks soon for what fell due while it was looking for what is due', async () => {
    await engine.rows(
      `INSERT INTO poison_uids (account_id, folder_id, uid, attempts, reason, updated_at)
       SELECT account_id, folder_id, 9999, 1, 'a test', now() - interval '61 seconds' FROM folder_syncs LIMIT 1`,
    );
    expect(await engine.app.get(DriftStore).nextIn(accountId)).toBe(1000);
    await engine.rows(`DELETE FROM poison_uids WHERE uid = '9999'`);
  });

  it('tells nothing of messages in a folder that was renumbered', async () => {
    const before = await one('first');
    const seq = await newest();
    server.renumber('Archive');
    await eventually(
      'the reset',
      async () =>
        (
          await engine.rows(`SELECT 1 FROM account_events WHERE kind = 'folder.reset' AND message LIKE '% Archive;%'`)
        )[0],
    );
    // The reset is logged before backfill has anything to do, and the void uid goes when the folder was read in full.
    await eventually('only the new uid', async () => {
      await engine.backfill(accountId);
      const places = await engine.rows(`SELECT uid FROM message_uids WHERE message_id = $1`, [before.id]);
      return places.map(({ uid }) => Number(uid)).join() === '100';
    });
    expect(await one('first')).toEqual(before);
    expect(await told(seq)).toEqual([]);
  });
});
