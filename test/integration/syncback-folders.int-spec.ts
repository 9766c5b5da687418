import { OldActions } from '#libs/sync/syncback/old-actions.js';

import { ActingAccount } from '../support/acting-account.js';
import type { Engine } from '../support/engine.js';
import { Killed, killedAfter, refusing, servers } from '../support/meddling.js';

describe.each(servers)('folder actions on a server with %s', (_, dovecot) => {
  let engine: Engine;
  let account: ActingAccount;
  let number = 0;
  let subject: string;
  let id: string;

  beforeAll(async () => {
    account = await ActingAccount.start({ dovecot });
    ({ engine } = account);
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

  it.each(['createFolder', 'renameFolder', 'deleteFolder'] as const)(
    'are harmlessly repeated when a worker was killed after %s',
    async (method) => {
      const made = await account.folders.create(account.ref, `Made${number}`);
      const renamed = await account.folders.create(account.ref, `Old${number}`);
      await account.act(method === 'createFolder' ? killedAfter(method) : undefined).catch(() => {});
      await account.act();
      await account.folders.rename(account.ref, renamed, `New${number}`);
      await account.folders.remove(account.ref, made);
      await account.act(killedAfter(method)).catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      await account.act();
      expect(await account.states()).toEqual(Array<string>(4).fill('successful'));
      expect(await account.told(() => account.round())).toEqual([]);
      const paths = (await account.client.list()).map(({ path }) => path);
      expect(paths.filter((path) => /^(Made|Old|New)/.test(path) && path.endsWith(String(number)))).toEqual([
        `New${number}`,
      ]);
    },
  );

  it('take messages that were moved into them before they were made', async () => {
    const folderId = await account.folders.create(account.ref, `Fresh${number}`);
    await update({ folderId, unread: false });
    const told = await account.told(async () => {
      await account.act();
      await account.round();
    });
    expect(told).toEqual([]);
    expect(await message()).toEqual({ id, unread: false, starred: false, folders: [`Fresh${number}`] });
    expect(await account.states()).toEqual(['successful', 'successful']);
  });

  it('made by both sides are one', async () => {
    const folderId = await account.folders.create(account.ref, `Both${number}`);
    await account.client.mailboxCreate(`Both${number}`);
    await account.round();
    await account.act();
    await account.round();
    expect(await account.states()).toEqual(['successful']);
    expect(await account.folder(`Both${number}`)).toBe(folderId);
  });

  it('that cannot be made go again, and messages meant for them stay where they were', async () => {
    const folderId = await account.folders.create(account.ref, `Never${number}`);
    await update({ folderId });
    expect(await message()).toMatchObject({ folders: [`Never${number}`] });
    const told = await account.told(() => account.act(refusing('createFolder', 'forbidden')));
    expect(told).toEqual(expect.arrayContaining(['delete folder', 'modify message', 'modify thread']));
    expect(await account.states()).toEqual(['failed', 'failed']);
    expect(await message()).toMatchObject({ folders: ['INBOX'] });
  });

  it('that cannot be renamed get their name back', async () => {
    const path = `Fixed${number}`;
    const folderId = await account.folders.create(account.ref, path);
    await account.act();
    await account.folders.rename(account.ref, folderId, `Other${number}`);
    await account.act(refusing('renameFolder', 'forbidden'));
    expect(await account.told(() => account.round())).toEqual(['modify folder']);
    const [row] = await engine.rows('SELECT path, display_name FROM categories WHERE id = $1', [folderId]);
    expect(row).toEqual({ path, display_name: path });
  });

  it('that the server fails to rename again and again get their name back, and keep nothing else up for long', async () => {
    const path = `Stuck${number}`;
    const folderId = await account.folders.create(account.ref, path);
    await account.act();
    await account.folders.rename(account.ref, folderId, `Other${number}`);
    await update({ starred: true });
    for (let time = 0; time < 5; time += 1) {
      expect(await account.states()).toEqual(['successful', 'pending', 'pending']);
      await account.act(refusing('renameFolder', 'folder-unavailable'));
      await account.hurry();
    }
    await account.act();
    expect(await account.states()).toEqual(['successful', 'failed', 'successful']);
    expect(await account.told(() => account.round())).toEqual(['modify folder']);
  });

  it('into which mail came meanwhile are not deleted', async () => {
    const path = `Filled${number}`;
    await account.folders.create(account.ref, path);
    await account.act();
    await account.folders.remove(account.ref, await account.folder(path));
    await account.client.append(path, `Subject: late${number}\r\n\r\nHello.\r\n`);
    for (let time = 0; time < 3; time += 1) {
      await account.act();
      await account.hurry();
    }
    expect(await account.states()).toEqual(['successful', 'failed']);
    await account.round();
    expect(await account.message(`late${number}`)).toMatchObject({ folders: [path] });
  });

  it('are given up after two days, and forgotten a week later', async () => {
    const folderId = await account.folders.create(account.ref, `Late${number}`);
    await update({ starred: true, folderId });
    const old = engine.app.get(OldActions);
    const clean = () => old.clean(Date.now() + 5000);
    await engine.rows(`UPDATE actions SET created_at = now() - interval '47 hours'`);
    expect(await clean()).toBe(0);
    await engine.rows(`UPDATE actions SET created_at = now() - interval '49 hours'`);
    const told = await account.told(clean);
    expect(told.toSorted()).toEqual(['delete folder', 'modify message', 'modify thread']);
    expect(await message()).toEqual({ id, unread: true, starred: false, folders: ['INBOX'] });
    expect(await account.jobs()).toEqual([
      expect.objectContaining({ status: 'failed', reason: 'The account could not be reached for 2 days.' }),
      expect.objectContaining({ status: 'failed' }),
    ]);
    expect(await clean()).toBe(0);
    await engine.rows(
      `INSERT INTO sends (account_id, id, message_id, state, settled_at) VALUES
         ($1, 'old', 'a', 'sent', now() - interval '169 hours'), ($1, 'new', 'b', 'sent', now() - interval '167 hours'),
         ($1, 'open', 'c', 'unknown', NULL)`,
      [account.id],
    );
    await engine.rows(`UPDATE actions SET settled_at = now() - interval '169 hours'`);
    expect(await clean()).toBe(3);
    expect((await account.jobs()).map(({ id: job, status }) => [job, status])).toEqual([
      ['new', 'successful'],
      ['open', 'pending'],
    ]);
    await engine.rows('DELETE FROM sends');
  });
});
