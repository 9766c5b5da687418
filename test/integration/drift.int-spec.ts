import type { ImapFlow } from 'imapflow';

import { AccountState } from '#libs/sync/account-state.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';

const condstore =
  'IMAP4rev1 LITERAL+ IDLE NAMESPACE UIDPLUS MOVE SPECIAL-USE ESEARCH ENABLE CONDSTORE LIST-EXTENDED LIST-STATUS';

interface FolderRow {
  readonly path: string;
  readonly id: string;
  readonly checked: Date | null;
  readonly repaired: number;
}

describe.each([
  ['QRESYNC', {}],
  ['CONDSTORE only', { capabilities: condstore }],
])('the store against a server with %s', (_name, dovecot) => {
  let engine: Engine;
  let client: ImapFlow;
  let accountId: string;
  let session: { stop: () => Promise<void> };

  beforeAll(async () => {
    engine = await Engine.start({ dovecot, env: { SYNC_DRIFT_CHECK_SECONDS: '1' } });
    client = await engine.client();
    for (let n = 1; n <= 80; n += 1) await client.append('INBOX', letter({ name: `m${n}` }), n % 2 ? ['\\Seen'] : []);
    await client.append('Archive', letter({ name: 'filed' }), ['\\Seen']);
    accountId = await engine.addAccount();
    session = await engine.watch(accountId);
    await eventually('all mail', async () => {
      await engine.backfill(accountId);
      return (await engine.rows(`SELECT 1 FROM accounts WHERE sync_state = 'running'`))[0];
    });
  });
  afterAll(async () => {
    client?.close();
    await engine?.stop();
  });

  const folders = () =>
    engine.rows<FolderRow>(
      `SELECT path, folder.id, drift_checked_at AS checked, drift_repaired AS repaired
       FROM categories folder JOIN folder_syncs ON folder_id = folder.id ORDER BY path`,
    );
  const folder = async (path: string) => (await folders()).find((row) => row.path === path)!;
  const repaired = async () => (await folders()).reduce((sum, row) => sum + row.repaired, 0);
  const message = async (name: string) =>
    (
      await engine.rows<{ id: string; unread: boolean; starred: boolean; category_ids: string[] }>(
        'SELECT id, unread, starred, category_ids FROM messages WHERE subject = $1',
        [name],
      )
    )[0]!;
  const newestChange = async () =>
    (await engine.rows<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM changes'))[0]!.seq;
  const changesSince = async (seq: string) =>
    (
      await engine.rows<{ what: string }>(
        `SELECT object_type || ' ' || event || ' ' || object_id AS what FROM changes WHERE seq > $1 ORDER BY seq`,
        [seq],
      )
    ).map(({ what }) => what);
  /** Every folder has been compared, from beginning to end, after now. */
  const compared = async () => {
    const [{ now }] = (await engine.rows<{ now: Date }>('SELECT clock_timestamp() AS now')) as [{ now: Date }];
    for (let round = 0; round < 2; round += 1) {
      const before = round === 0 ? now : new Date((await folders()).reduce((max, f) => Math.max(max, +f.checked!), 0));
      await eventually('a comparison', async () =>
        (await folders()).every(({ checked }) => checked !== null && checked > before),
      );
    }
  };
  const repairs = (kind = 'folder.drift') =>
    engine.rows<{ message: string; details: Record<string, unknown> }>(
      'SELECT message, details FROM account_events WHERE kind = $1 ORDER BY id',
      [kind],
    );

  it('finds nothing to repair when nothing was lost, whatever happens meanwhile', async () => {
    await compared();
    await client.mailboxOpen('INBOX');
    for (let n = 1; n <= 30; n += 1) {
      await client.messageFlagsAdd(`${n * 2}`, ['Later', ...(n % 3 ? [] : ['\\Flagged'])]);
      if (n % 10 === 0) await client.append('INBOX', letter({ name: `late${n}` }));
    }
    await client.messageDelete('80');
    await client.mailboxClose();
    await compared();
    expect(await message('m6')).toMatchObject({ starred: true });
    expect(await repaired()).toBe(0);
    expect(await repairs()).toEqual([]);
  });

  it('repairs flags, lost messages and places that are not there, and tells of it as changes', async () => {
    const [inbox, archive] = [await folder('INBOX'), await folder('Archive')];
    const [flagged, lost, doubled] = [await message('m4'), await message('m5'), await message('m7')];
    await session.stop();
    const seq = await newestChange();
    const place = 'folder_id = $1 AND message_id = $2';
    await engine.rows(`UPDATE message_uids SET flags = '{\\\\Seen}' WHERE ${place}`, [inbox.id, flagged.id]);
    await engine.rows('UPDATE messages SET unread = false WHERE id = $1', [flagged.id]);
    await engine.rows(`DELETE FROM message_uids WHERE ${place}`, [inbox.id, lost.id]);
    await engine.rows('DELETE FROM messages WHERE id = $1', [lost.id]);
    await engine.rows(
      `INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
       VALUES ($1, $2, 4000000000, $3, '{}', now())`,
      [accountId, archive.id, doubled.id],
    );
    await engine.rows('UPDATE messages SET category_ids = category_ids || $2::text WHERE id = $1', [
      doubled.id,
      archive.id,
    ]);
    session = await engine.watch(accountId);
    await eventually('the repair', async () => (await repaired()) === 3);

    expect(await message('m4')).toMatchObject({ id: flagged.id, unread: true });
    expect(await message('m5')).toMatchObject({ unread: false });
    expect(await message('m7')).toEqual(doubled);
    expect((await repairs()).map(({ details }) => details)).toEqual(
      expect.arrayContaining([
        { folderId: inbox.id, added: 1, reflagged: 1, removed: 0 },
        { folderId: archive.id, added: 0, reflagged: 0, removed: 1 },
      ]),
    );
    const again = await message('m5');
    const told = await changesSince(seq);
    expect(told.filter((what) => what.startsWith('message')).toSorted()).toEqual(
      [`message create ${again.id}`, `message modify ${flagged.id}`, `message modify ${doubled.id}`].toSorted(),
    );
    await compared();
    expect(await repaired()).toBe(3);
    expect(await changesSince(seq)).toEqual(told);
  });

  it('finds a change of flags that the server never told of', async () => {
    const seq = await newestChange();
    const { id } = await message('m10');
    await session.stop();
    await client.mailboxOpen('INBOX');
    await client.messageFlagsAdd('10', ['\\Seen']);
    await client.mailboxClose();
    const status = await client.status('INBOX', { highestModseq: true });
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{modseq}', $2) WHERE folder_id = $1`, [
      (await folder('INBOX')).id,
      JSON.stringify(String((status as { highestModseq: bigint }).highestModseq)),
    ]);
    session = await engine.watch(accountId);
    await eventually('the repair', async () => !(await message('m10')).unread);
    const told = (await changesSince(seq)).filter((what) => !what.startsWith('account'));
    expect(told.map((what) => what.split(' ', 2).join(' ')).toSorted()).toEqual(['message modify', 'thread modify']);
    expect(told).toContain(`message modify ${id}`);
    await eventually('the count', async () => (await repaired()) === 4);
  });

  it('tries again what could not be read, once it has rested', async () => {
    const [inbox, { id }] = [await folder('INBOX'), await message('m12')];
    await session.stop();
    await engine.rows(
      `INSERT INTO poison_uids (account_id, folder_id, uid, attempts, reason, updated_at)
       SELECT account_id, folder_id, uid::text, 1, 'a bad day', now() FROM message_uids WHERE message_id = $1`,
      [id],
    );
    await engine.rows('DELETE FROM message_uids WHERE folder_id = $1 AND message_id = $2', [inbox.id, id]);
    session = await engine.watch(accountId);
    await compared();
    const places = () => engine.rows('SELECT 1 FROM message_uids WHERE message_id = $1', [id]);
    expect(await places()).toEqual([]);

    await engine.rows(`UPDATE poison_uids SET updated_at = now() - interval '61 seconds'`);
    await eventually('another try', async () => (await places())[0]);
    await eventually('forgetting', async () => (await engine.rows('SELECT 1 FROM poison_uids')).length === 0);
    expect(await message('m12')).toMatchObject({ id });
    expect(await repaired()).toBe(4);
  });

  it('compares again when the account was out of sight', async () => {
    await session.stop();
    const state = engine.app.get(AccountState);
    // As the worker does while it holds the account.
    await engine.rows('UPDATE accounts SET sync_seen_at = now()');
    expect(await state.claim(accountId)).toMatchObject({ lostAt: null });
    await engine.rows(`UPDATE accounts SET sync_seen_at = now() - interval '11 seconds'`);
    expect(await state.claim(accountId)).toMatchObject({ lostAt: expect.any(Date) });
    await engine.rows('UPDATE accounts SET sync_failures = 1');
    expect(await state.claim(accountId)).toMatchObject({ lostAt: expect.any(Date) });
  });
});
