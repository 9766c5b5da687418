import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { AccountState } from '#libs/sync/account-state.js';
import { Syncback } from '#libs/sync/syncback/syncback.js';

import { ActingAccount, type Meddling } from '../support/acting-account.js';
import type { Engine } from '../support/engine.js';
import { Killed, killedAfter, refusing, servers } from '../support/meddling.js';

describe.each(servers)('actions on a server with %s', (name, dovecot) => {
  let engine: Engine;
  let account: ActingAccount;
  let number = 0;
  let subject: string;
  let id: string;

  beforeAll(async () => {
    account = await ActingAccount.start({ dovecot });
    ({ engine } = account);
    await account.client.mailboxCreate('Work');
    await account.round();
  });
  afterAll(() => account?.stop());
  beforeEach(async () => {
    await engine.rows('DELETE FROM actions');
    subject = `letter${++number}`;
    [id = ''] = await account.deliver('INBOX', subject);
  });

  const update = (wish: Parameters<typeof account.mail.updateMessage>[2]) =>
    account.mail.updateMessage(account.ref, id, wish);
  const message = () => account.message(subject);
  /** How many copies of the letter lie in a folder, as others see it. */
  const copies = async (folder: string) => {
    const uids = await account.uid(folder, subject);
    return uids === '' ? 0 : uids.split(',').length;
  };

  it('change flags and folders in the order in which they were wished', async () => {
    const [work, inbox] = [await account.folder('Work'), await account.folder('INBOX')];
    await update({ unread: false, starred: true });
    await update({ folderId: work });
    await update({ unread: true });
    expect(await account.act()).toBe(Infinity);
    expect((await account.seen('Work'))[subject]).toEqual(['\\Flagged']);
    expect(await account.states()).toEqual(['successful', 'successful', 'successful']);
    const told = await account.told(() => account.round());
    expect(told).toEqual([]);
    await update({ folderId: inbox });
    await account.act();
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Flagged']);
    expect(await message()).toEqual({ id, unread: true, starred: true, folders: ['INBOX'] });
  });

  it('are not overwritten by a pass that reads what was before', async () => {
    const uid = await account.uid('INBOX', subject);
    await update({ unread: false });
    await account.client.messageFlagsAdd(uid, ['\\Answered'], { uid: true });
    expect(await account.told(() => account.round())).toEqual([]);
    expect(await message()).toMatchObject({ unread: false });
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Answered']);
    await account.act();
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Answered', '\\Seen']);
  });

  it('are left to whoever has taken the account over', async () => {
    await update({ unread: false });
    await account.inSession(async (watch) => {
      await engine.app.get(AccountState).claim(account.id);
      expect(await engine.app.get(Syncback).run(watch)).toBe(Infinity);
    });
    expect((await account.seen('INBOX'))[subject]).toEqual([]);
    await account.act();
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Seen']);
  });

  it('leave alone what others changed meanwhile', async () => {
    await update({ unread: false });
    await account.client.messageFlagsAdd(await account.uid('INBOX', subject), ['\\Flagged'], { uid: true });
    expect(await account.told(() => account.act())).toEqual(['modify message', 'modify thread']);
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Flagged', '\\Seen']);
    expect(await message()).toMatchObject({ unread: false, starred: true });
  });

  it('reach a message that somebody moved, where it is now', async () => {
    await update({ unread: false });
    await account.client.messageMove(await account.uid('INBOX', subject), 'Work', { uid: true });
    expect(await account.act()).toBeLessThan(Date.now() + 5000);
    expect(await account.jobs()).toEqual([
      expect.objectContaining({ status: 'pending', reason: 'The message is not in its folder any more.' }),
    ]);
    await account.round();
    expect(await message()).toMatchObject({ unread: false, folders: ['Work'] });
    await account.hurry();
    await account.act();
    expect(await account.states()).toEqual(['successful']);
    expect((await account.seen('Work'))[subject]).toEqual(['\\Seen']);
  });

  it('move a message that somebody moved elsewhere from there', async () => {
    await update({ folderId: await account.folder('Work') });
    await account.client.messageMove(await account.uid('INBOX', subject), 'Archive', { uid: true });
    await account.act();
    expect(await account.states()).toEqual(['pending']);
    await account.round();
    await account.hurry();
    await account.act();
    expect(await account.states()).toEqual(['successful']);
    expect([await copies('INBOX'), await copies('Archive'), await copies('Work')].at(-1)).toBe(1);
    if (name !== 'neither MOVE nor UIDPLUS nor CONDSTORE') expect(await copies('Archive')).toBe(0);
  });

  it('leave mail alone that somebody moves into a new folder while folders wait to be made', async () => {
    const target = `Elsewhere ${number}`;
    await account.folders.create(account.ref, `Here ${number}`);
    await account.client.mailboxCreate(target);
    await account.client.messageMove(await account.uid('INBOX', subject), target, { uid: true });
    await account.round();
    await account.round();
    await account.act();
    await account.round();
    const { id: now, folders } = (await message())!;
    expect([now, folders]).toEqual([id, [target]]);
  });

  it('wait for a renumbered folder to be read, however often they are tried', async () => {
    await update({ starred: true });
    await engine.rows('UPDATE message_uids SET uid = uid - 10000000000 WHERE message_id = $1', [id]);
    for (let time = 0; time < 8; time += 1) {
      expect(await account.act()).toBeLessThan(Date.now() + 10_000);
      await account.hurry();
    }
    expect(await account.jobs()).toEqual([
      expect.objectContaining({
        status: 'pending',
        reason: 'The server has renumbered the folder; it is read anew first.',
      }),
    ]);
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    expect(await account.told(() => account.round())).toEqual([]);
    await account.act();
    expect(await account.states()).toEqual(['successful']);
    expect((await account.seen('INBOX'))[subject]).toEqual(['\\Flagged']);
  });

  it('fail when the message is deleted', async () => {
    await update({ starred: true });
    await account.client.messageDelete(await account.uid('INBOX', subject), { uid: true });
    await account.act();
    expect(await account.states()).toEqual(['pending']);
    for (let time = 0; time < 2; time += 1) await account.round();
    expect(await message()).toBeUndefined();
    await account.hurry();
    await account.act();
    expect(await account.jobs()).toEqual([
      expect.objectContaining({ status: 'failed', reason: 'The message has been deleted.' }),
    ]);
  });

  it.each(['store', 'move'] as const)('are harmlessly repeated when a worker was killed after a %s', async (method) => {
    await update({ unread: false, starred: true, folderId: await account.folder('Work') });
    await expect(account.act(killedAfter(method))).rejects.toThrow(Killed);
    expect(await account.states()).toEqual(['pending']);
    const told = await account.told(async () => {
      await account.act();
      await account.round();
      await account.hurry();
      await account.act();
    });
    expect(told).toEqual([]);
    expect(await account.states()).toEqual(['successful']);
    expect([await copies('Work'), await message()]).toEqual([
      1,
      { id, unread: false, starred: true, folders: ['Work'] },
    ]);
    expect((await account.seen('Work'))[subject]).toEqual(expect.arrayContaining(['\\Flagged', '\\Seen']));
  });

  it('do not copy again when a worker was killed after copying', async () => {
    await update({ folderId: await account.folder('Work') });
    const onlyCopying: Meddling = () => ({
      move: async () => {
        await account.client.messageCopy(await account.uid('INBOX', subject), 'Work', { uid: true });
        throw new Killed('copy');
      },
    });
    await expect(account.act(onlyCopying)).rejects.toThrow(Killed);
    expect(await account.told(() => account.act())).toEqual([]);
    // MOVE is one step: no half of it is looked for.
    expect(await copies('Work')).toBe(name === 'everything' ? 2 : 1);
    expect(await account.states()).toEqual(['successful']);
  });

  it('are finished when the server refused a move of which it had done half', async () => {
    await update({ folderId: await account.folder('Work') });
    const refusingHalfway: Meddling = () => ({
      move: async () => {
        await account.client.messageCopy(await account.uid('INBOX', subject), 'Work', { uid: true });
        throw new ProviderError('rejected', 'The folder was renamed meanwhile.');
      },
    });
    await account.act(refusingHalfway);
    expect([await copies('INBOX'), await copies('Work'), await account.states()]).toEqual([1, 1, ['pending']]);
    await account.hurry();
    await account.act();
    expect([await copies('Work'), await account.states()]).toEqual([1, ['successful']]);
    expect(await message()).toMatchObject({ id, folders: ['Work'] });
    if (name !== 'neither MOVE nor UIDPLUS nor CONDSTORE') expect(await copies('INBOX')).toBe(0);
  });

  // MOVE is one step: there is no half of it.
  if (name !== 'everything') {
    it.each(['Trash', 'INBOX'])(
      'leave no copy behind when a killed worker had copied, and %s was wished then',
      async (next) => {
        await update({ folderId: await account.folder('Work') });
        const onlyCopying: Meddling = () => ({
          move: async () => {
            const uid = await account.uid('INBOX', subject);
            await account.client.messageCopy(uid, 'Work', { uid: true });
            await account.client.messageFlagsAdd(uid, ['\\Deleted'], { uid: true });
            throw new Killed('copy');
          },
        });
        await expect(account.act(onlyCopying)).rejects.toThrow(Killed);
        await update({ folderId: await account.folder(next) });
        await account.act();
        expect(await message()).toMatchObject({ folders: [next] });
        expect([await copies(next), await copies('Work')]).toEqual([1, 0]);
        // Whoever expunges next would take it.
        expect((await account.seen(next))[subject]).not.toContain('\\Deleted');
        expect(await account.states()).toEqual(['successful', 'successful']);
      },
    );
  }

  it('are tried three times when refused, then taken back, and the log says so', async () => {
    await update({ folderId: await account.folder('Work'), starred: true });
    for (const time of [1, 2]) {
      const begun = Date.now();
      const wakeAt = await account.act(refusing('move'));
      expect(wakeAt - begun).toBeGreaterThan(1000 * time);
      expect(wakeAt - Date.now()).toBeLessThan(3000 * time);
      expect(await account.jobs()).toEqual([
        expect.objectContaining({ status: 'pending', reason: 'The server will not move.' }),
      ]);
      expect(await message()).toMatchObject({ folders: ['Work'], starred: true });
      await account.hurry();
    }
    expect(await account.told(() => account.act(refusing('move')))).toEqual(['modify message', 'modify thread']);
    expect(await account.states()).toEqual(['failed']);
    expect(await message()).toMatchObject({ folders: ['INBOX'], starred: true });
    const log = await engine.rows(
      `SELECT message FROM account_events WHERE kind = 'action.failed' ORDER BY at DESC LIMIT 1`,
    );
    expect(log).toEqual([{ message: 'A change was given up, and taken back here: The server will not move.' }]);
  });

  it('that ask for something else are done all the same', async () => {
    await update({ starred: true });
    await update({ folderId: await account.folder('Work') });
    await account.act(refusing('move', 'forbidden'));
    expect(await account.states()).toEqual(['successful', 'failed']);
    await update({ unread: false });
    await update({ folderId: await account.folder('Work') });
    await account.act(refusing('store', 'forbidden'));
    expect((await account.states()).slice(2)).toEqual(['failed', 'successful']);
    expect(await message()).toMatchObject({ unread: true, starred: true, folders: ['Work'] });
  });

  it('stay when the account is in trouble', async () => {
    await update({ starred: true });
    const broken: Meddling = () => ({ store: () => Promise.reject(new ProviderError('unavailable', 'Gone.')) });
    await expect(account.act(broken)).rejects.toThrow('Gone.');
    expect(await account.states()).toEqual(['pending']);
    await account.act();
    expect(await account.states()).toEqual(['successful']);
  });

  it('do not wait for the end of a long round', async () => {
    const folders = ['Archive', 'Sent', 'Trash', 'Work'];
    for (const path of folders) await account.client.append(path, `Subject: new${number}\r\n\r\nHello.\r\n`);
    const seen: string[][] = [];
    await account.round((driver) => ({
      changes: async function* (...args) {
        if (seen.length === 1) await update({ starred: true });
        seen.push((await account.seen('INBOX'))[subject]!);
        yield* driver.changes(...args);
      },
    }));
    expect(seen.length).toBeGreaterThanOrEqual(folders.length);
    expect(seen[0]).toEqual([]);
    expect(seen.at(-1)).toEqual(['\\Flagged']);
    expect(await account.states()).toEqual(['successful']);
  });

  it('show on a message that is between two folders', async () => {
    await engine.rows('UPDATE message_uids SET message_id = $2 WHERE message_id = $1', [id, 'elsewhere']);
    await engine.rows('UPDATE messages SET orphaned_at = now() WHERE id = $1', [id]);
    const wish = () => update({ starred: true, unread: false });
    expect(await account.told(wish)).toEqual(['modify message', 'modify thread']);
    expect(await message()).toMatchObject({ starred: true, unread: false, folders: ['INBOX'] });
    await update({ folderId: await account.folder('Work') });
    expect(await message()).toMatchObject({ folders: ['Work'] });
    await engine.rows('UPDATE message_uids SET message_id = $1 WHERE message_id = $2', [id, 'elsewhere']);
    await account.act();
    expect(await account.states()).toEqual(['successful', 'successful']);
  });
});
