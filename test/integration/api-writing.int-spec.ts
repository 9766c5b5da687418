import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { NOBODY, ok, refused, WritingUser } from '../support/writing-user.js';

describe('writing, as far as the API does it', () => {
  let env: ApiEnv;
  let user: WritingUser;

  beforeAll(async () => {
    env = await startApiEnv();
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    user = await WritingUser.of(env);
  });

  describe('messages and threads', () => {
    it('change at once, and are told of', async () => {
      const { id, threadId } = await user.message('INBOX');
      const folder = user.account.folders['Taxes/2024'];
      const seen = await user.told(async () => {
        const changed = await ok(user.put(`/messages/${id}`, { unread: true, starred: true, folder_id: folder }));
        expect(changed).toMatchObject({ unread: true, starred: true, folder: { id: folder } });
      });
      expect(seen).toEqual(['modify message', 'modify thread']);
      expect(await user.api.ok(`/threads/${threadId}`)).toMatchObject({ unread: true, starred: true });
      const back = await ok(
        user.put(`/threads/${threadId}`, { unread: false, folder_id: user.account.folders['INBOX'] }),
      );
      expect(back).toMatchObject({ unread: false, starred: true, folders: [{ id: user.account.folders['INBOX'] }] });
      expect(await user.told(() => ok(user.send('PATCH', `/messages/${id}`, { starred: false })))).toHaveLength(2);
      expect(await user.told(() => ok(user.put(`/messages/${id}`, { starred: false })))).toEqual([]);
      expect(await user.jobs()).toHaveLength(3);
    });

    it('leave a draft in its folder', async () => {
      const { id } = await env.seed.message(user.account, { folders: ['Drafts'], draft: true });
      const text = 'The folder of a draft cannot be changed (folder_id)';
      await refused(user.put(`/messages/${id}`, { folder_id: user.account.folders['Archive'] }), 400, text);
      await ok(user.put(`/messages/${id}`, { folder_id: user.account.folders['Drafts'], starred: true }));
      expect(await user.jobs()).toHaveLength(1);
    });

    it('refuse what they do not have', async () => {
      const { id, threadId } = await user.message('INBOX');
      for (const url of [`/messages/${id}`, `/threads/${threadId}`]) {
        await refused(user.put(url, { subject: 'x' }), 400, 'Unexpected attribute: subject');
        await refused(user.put(url, []), 400, 'Invalid request body');
        await refused(user.put(url, {}), 400, 'empty request body');
        await refused(user.put(url, { unread: 'yes' }), 400, '"unread" must be true or false');
        await refused(user.put(url, { starred: 0 }), 400, '"starred" must be true or false');
        await refused(user.put(url, { folder_id: null }), 400, 'Removing all folders is not allowed.');
        await refused(user.put(url, { folder_id: NOBODY }), 400, `The folder ${NOBODY} does not exist`);
      }
      const refusal = 'Can only change the unread attribute of a message';
      await refused(user.put(`${user.v1}/messages/${id}`, { subject: 'x' }), 400, refusal);
      await refused(user.put(`/messages/${NOBODY}`, { unread: true }), 404, `Couldn't find message ${NOBODY}`);
      await refused(user.put(`/threads/${NOBODY}`, { unread: true }), 404, `Couldn't find thread ${NOBODY}`);
      expect(await user.jobs()).toEqual([]);
    });

    it("of another account are nobody's", async () => {
      const stranger = await env.seed.account();
      const theirs = await env.seed.message(stranger);
      await refused(user.put(`/messages/${theirs.id}`, { unread: true }), 404, `Couldn't find message ${theirs.id}`);
      await refused(
        user.put(`/threads/${theirs.threadId}`, { unread: true }),
        404,
        `Couldn't find thread ${theirs.threadId}`,
      );
      const folder = stranger.folders['INBOX']!;
      await refused(user.put(`/folders/${folder}`, { display_name: 'x' }), 404, `Couldn't find folder ${folder}`);
      await refused(user.send('DELETE', `/folders/${folder}`, {}), 404, `Couldn't find folder ${folder}`);
      const { id } = await user.message('INBOX');
      await refused(user.put(`/messages/${id}`, { folder_id: folder }), 400, `The folder ${folder} does not exist`);
    });
  });

  describe('folders', () => {
    const create = (name: unknown) => user.send('POST', '/folders', { display_name: name });

    it('are created, nested, renamed with what is below, and deleted', async () => {
      let id = '';
      const made = async () => ({ id } = await ok<{ id: string }>(create('Work')));
      expect(await user.told(made)).toEqual(['create folder', 'create tag']);
      const { id: below } = await ok<{ id: string }>(create('Work/2026'));
      const renaming = await user.told(() => ok(user.put(`/folders/${id}`, { display_name: 'Job' })));
      expect(renaming.filter((change) => change.endsWith('folder'))).toEqual(['modify folder', 'modify folder']);
      expect(await user.api.ok(`/folders/${below}`)).toMatchObject({ display_name: 'Job/2026', name: null });
      // Paths are what the provider will have made of them by then.
      await ok(user.put(`/folders/${below}`, { display_name: 'Deep/Job/2026' }));
      await ok(user.put(`/folders/${id}`, { display_name: 'Deep/Job' }));
      await ok(create('Plain'));
      await ok(user.send('DELETE', `/folders/${below}`, {}));
      await refused(user.api.get(`/folders/${below}`), 404, `Couldn't find folder ${below}`);
      const rows = await env.seed.sql('SELECT kind, details FROM actions WHERE account_id = $1 ORDER BY seq', [
        user.account.id,
      ]);
      expect(rows).toEqual([
        { kind: 'folder.create', details: { path: 'Work' } },
        { kind: 'folder.create', details: { path: 'Work/2026' } },
        { kind: 'folder.rename', details: { newPath: 'Job' } },
        { kind: 'folder.rename', details: { newPath: 'Deep/Job/2026' } },
        { kind: 'folder.rename', details: { newPath: 'Deep/Job' } },
        { kind: 'folder.create', details: { path: 'Plain' } },
        { kind: 'folder.delete', details: { path: 'Deep/Job/2026' } },
      ]);
      expect((await user.jobs())[0]).toMatchObject({ action: 'delete_folder', object: 'folder', folder_id: below });
    });

    it.each([
      [undefined, '"display_name" must be a valid string'],
      [7, '"display_name" must be a valid string'],
      ['  ', '"display_name" must be a valid string'],
      ['a\nb', '"display_name" must be a valid string'],
      ['Work//2026', '"display_name" must be a valid string'],
      ['x'.repeat(192), '"display_name" is too long'],
      ['inbox', 'Folder with name "inbox" already exists'],
      ['TAXES/2024', 'Folder with name "TAXES/2024" already exists'],
    ])('are not called %j', async (name, text) => {
      await refused(create(name), 400, text);
      const mine = user.account.folders['Taxes/2024']!;
      const { id } = await ok<{ id: string }>(create('Mine'));
      await refused(user.put(`/folders/${id}`, { display_name: name }), 400, text);
      expect(await user.api.ok(`/folders/${mine}`)).toMatchObject({ display_name: 'Taxes/2024' });
    });

    it('that are standard stay, and so does one with messages in it', async () => {
      const inbox = user.account.folders['INBOX']!;
      await refused(user.put(`/folders/${inbox}`, { display_name: 'x' }), 400, 'Cannot modify a standard folder');
      await refused(user.send('DELETE', `/folders/${inbox}`, {}), 400, 'Cannot modify a standard folder');
      const [taxes, text] = [user.account.folders['Taxes/2024']!, 'cannot be deleted because it contains messages.'];
      const { id } = await user.message('INBOX');
      await ok(user.put(`/messages/${id}`, { folder_id: taxes }));
      await refused(user.send('DELETE', `/folders/${taxes}`, {}), 400, `Folder ${taxes} ${text}`);
      const { id: work } = await ok<{ id: string }>(create('Work'));
      await env.seed.sql('UPDATE message_uids SET folder_id = $2 WHERE account_id = $1', [user.account.id, work]);
      await refused(user.send('DELETE', `/folders/${work}`, {}), 400, `Folder ${work} ${text}`);
      await refused(user.put(`/folders/${NOBODY}`, { display_name: 'x' }), 404, `Couldn't find folder ${NOBODY}`);
    });

    it('are not those of an account with labels', async () => {
      await env.seed.sql(`UPDATE accounts SET organization_unit = 'label' WHERE id = $1`, [user.account.id]);
      await refused(create('x'), 404, 'This account has labels, not folders.');
    });
  });

  describe('job statuses', () => {
    it('tell the newest first, page, and know only their own account', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        const { id } = await user.message('INBOX');
        await ok(user.put(`/messages/${id}`, { starred: true }));
        ids.unshift(id);
      }
      const all = await user.jobs();
      expect(all.map((job) => job.message_id)).toEqual(ids);
      expect(await user.api.ok(`${user.v1}/job-statuses?limit=1&offset=1`)).toEqual([all[1]]);
      expect(await user.api.ok(`/job-statuses/${all[0]!.id}`)).toEqual({
        ...all[0],
        job_status_id: all[0]!.id,
        account_id: user.account.id,
        reason: null,
        created_at: expect.any(Number),
      });
      await refused(user.api.get(`/job-statuses/${NOBODY}`), 404, `Couldn't find job status ${NOBODY}`);
      const stranger = env.client.as((await env.seed.account()).token);
      expect(await stranger.ok('/job-statuses')).toEqual([]);
      expect((await stranger.get(`/job-statuses/${all[0]!.id}`)).status).toBe(404);
    });
  });
});
