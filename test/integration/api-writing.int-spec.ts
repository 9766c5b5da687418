import type { ApiAnswer, ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

const FOLDERS = {
  INBOX: 'inbox',
  Archive: 'archive',
  Junk: 'spam',
  Trash: 'trash',
  Sent: 'sent',
  Drafts: 'drafts',
  'Taxes/2024': null,
};
const NOBODY = 'abcdefghijklmnopqrstuvwxy';

interface ThreadJson {
  readonly id: string;
  readonly version: number;
  readonly unread: boolean;
  readonly tags: readonly { readonly id: string; readonly name: string }[];
}
interface JobJson {
  readonly id: string;
  readonly action: string;
  readonly object: string;
  readonly message_id?: string;
  readonly folder_id?: string;
  readonly status: string;
}

describe('writing, as far as the API does it', () => {
  let env: ApiEnv;
  let account: SeededAccount;
  let api: ApiClient;
  let v1: string;

  beforeAll(async () => {
    env = await startApiEnv();
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    account = await env.seed.account({ folders: FOLDERS });
    api = env.client.as(account.token);
    v1 = `/n/${account.id}`;
  });

  const send = (method: string, path: string, body: unknown): Promise<ApiAnswer> =>
    api.send(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const put = (path: string, body: unknown) => send('PUT', path, body);
  const ok = async <Body>(answer: Promise<ApiAnswer>): Promise<Body> => {
    const { status, text, json } = await answer;
    if (status !== 200) throw new Error(`answered ${status}: ${text}`);
    return json as Body;
  };
  const refused = async (answer: Promise<ApiAnswer>, status: number, message: string) => {
    const { status: given, json } = await answer;
    expect([given, json]).toEqual([status, expect.objectContaining({ message, type: 'invalid_request_error' })]);
  };
  const thread = (id: string) => api.ok<ThreadJson>(`${v1}/threads/${id}`);
  const tagsOf = async (id: string) => (await thread(id)).tags.map((tag) => tag.id).toSorted();
  const tag = (id: string, body: object) => ok<ThreadJson>(put(`${v1}/threads/${id}`, body));
  const jobs = () => api.ok<JobJson[]>('/job-statuses');
  const message = (...folders: string[]) => env.seed.message(account, { folders });

  /** What `work` makes followers of the change log see, sorted. */
  async function told(work: () => Promise<unknown>): Promise<string[]> {
    const { cursor } = await ok<{ cursor: string }>(send('POST', '/delta/latest_cursor', {}));
    await work();
    const { deltas } = await api.ok<{ deltas: { object: string; event: string }[] }>(
      `${v1}/delta?cursor=${cursor}&exclude_types=folder`,
    );
    const folders = await api.ok<{ deltas: { object: string; event: string }[] }>(
      `/delta?cursor=${cursor}&include_types=folder`,
    );
    return [...deltas, ...folders.deltas].map(({ object, event }) => `${event} ${object}`).toSorted();
  }

  describe('tags', () => {
    const create = (name: string) => ok<{ id: string; name: string }>(send('POST', `${v1}/tags`, { name }));

    it('are known at once to filters, whichever process they were made in', async () => {
      await api.ok(`${v1}/threads?tag=inbox`);
      const { threadId } = await message('INBOX');
      await env.seed.sql(
        `INSERT INTO categories (account_id, id, kind, path, display_name) VALUES ($1, 'fresh', 'tag', 'fresh', 'fresh')`,
        [account.id],
      );
      await env.seed.sql(`UPDATE threads SET tag_ids = '{fresh}' WHERE account_id = $1`, [account.id]);
      await tag(threadId, { add_tags: ['starred'] });
      expect(await api.ok(`${v1}/threads?tag=fresh&view=ids`)).toEqual([threadId]);
    });

    it('are created, renamed and deleted, and followers are told', async () => {
      const { id: threadId } = await thread((await message('INBOX')).threadId);
      let id = '';
      expect(await told(async () => ({ id } = await create('Later')))).toEqual(['create tag']);
      expect(await api.ok(`${v1}/tags/${id}`)).toMatchObject({ name: 'later', readonly: false, thread_count: 0 });
      expect(await told(() => tag(threadId, { add_tags: ['LATER'] }))).toEqual(['modify thread']);
      expect(await api.ok(`${v1}/tags/${id}`)).toMatchObject({ thread_count: 1, unread_count: 0 });
      expect(await api.ok(`${v1}/threads?tag=later&view=ids`)).toEqual([threadId]);
      expect(await told(() => ok(put(`${v1}/tags/${id}`, { name: 'Much Later' })))).toEqual(['modify tag']);
      expect(await told(() => ok(put(`${v1}/tags/${id}`, { name: 'MUCH later' })))).toEqual([]);
      expect((await thread(threadId)).tags).toContainEqual({ id, name: 'much later' });
      expect(await told(() => ok(send('DELETE', `${v1}/tags/${id}`, {})))).toEqual(['delete tag', 'modify thread']);
      expect(await tagsOf(threadId)).toEqual(['inbox']);
      await refused(api.get(`${v1}/tags/${id}`), 404, `Couldn't find tag ${id}`);
      expect(await jobs()).toEqual([]);
    });

    it.each([
      [{}, 400, 'Malformed tag request'],
      [{ name: 5 }, 400, 'Malformed tag request'],
      [{ name: 'x', namespace_id: NOBODY }, 400, 'Cannot change the namespace on a tag.'],
      [{ name: 'x'.repeat(192) }, 400, 'Tag name is too long.'],
      ...['inbox', 'Unread', 'sent', 'all', 'archive', 'trash', 'replied', 'file', 'important', 'sending'].map(
        (name) => [{ name }, 409, 'Tag name not available'] as const,
      ),
      [{ name: 'taxes/2024' }, 409, 'Tag name not available'],
      [{ name: 'TAKEN' }, 409, 'Tag name not available'],
    ] as const)('are not created from %j', async (body, status, text) => {
      await create('taken');
      await refused(send('POST', `${v1}/tags`, body), status, text);
    });

    it('are not renamed or deleted when they are not the own ones', async () => {
      const [{ id }, { id: other }] = [await create('mine'), await create('mine too')];
      await refused(put(`${v1}/tags/${id}`, { name: '' }), 400, 'Malformed tag update request');
      await refused(put(`${v1}/tags/${id}`, { name: 'Mine Too' }), 409, 'Tag name already used');
      await refused(put(`${v1}/tags/${id}`, { name: 'spam' }), 409, 'Tag name already used');
      await refused(put(`${v1}/tags/inbox`, { name: 'x' }), 400, 'Cannot modify tag inbox');
      await refused(send('DELETE', `${v1}/tags/unread`, {}), 400, 'delete non user-created tag.');
      const taxes = account.folders['Taxes/2024']!;
      await refused(put(`${v1}/tags/${taxes}`, { name: 'x' }), 400, `Cannot modify tag ${taxes}`);
      await refused(put(`${v1}/tags/${NOBODY}`, { name: 'x' }), 404, `Couldn't find tag ${NOBODY}`);
      await refused(send('DELETE', `${v1}/tags/${NOBODY}`, {}), 404, `Couldn't find tag ${NOBODY}`);
      const stranger = await env.seed.account();
      const theirs = env.client.as(stranger.token);
      const body = JSON.stringify({ name: 'x' });
      for (const method of ['PUT', 'DELETE']) {
        expect((await theirs.send(`/n/${stranger.id}/tags/${other}`, { method, body })).status).toBe(404);
      }
    });
  });

  describe('tags of threads', () => {
    it.each([
      ['INBOX', { remove_tags: ['inbox'] }, 'archive'],
      ['INBOX', { add_tags: ['archive'] }, 'archive'],
      ['INBOX', { add_tags: ['trash'] }, 'trash'],
      ['INBOX', { add_tags: ['spam'] }, 'spam'],
      ['Archive', { add_tags: ['inbox'] }, 'inbox'],
      ['Archive', { remove_tags: ['archive'] }, 'inbox'],
      ['Trash', { remove_tags: ['trash'] }, 'inbox'],
      ['Junk', { remove_tags: ['spam'] }, 'inbox'],
      ['Trash', { add_tags: ['archive'] }, 'archive'],
      ['INBOX', { remove_tags: ['inbox'], add_tags: ['trash'] }, 'trash'],
    ])('in %s: %j', async (folder, body, expected) => {
      const { id, threadId } = await message(folder);
      const seen = await told(() => tag(threadId, body));
      expect(seen).toEqual(['modify message', 'modify thread']);
      expect(await tagsOf(threadId)).toEqual([expected]);
      expect(await jobs()).toEqual([
        expect.objectContaining({ action: 'update_message', object: 'message', message_id: id, status: 'pending' }),
      ]);
    });

    it.each([
      ['INBOX', { remove_tags: ['trash', 'spam', 'archive'] }],
      ['Taxes/2024', { remove_tags: ['inbox', 'trash', 'spam', 'archive'] }],
      ['Taxes/2024', { add_tags: ['archive'] }],
      ['INBOX', { add_tags: ['inbox'], remove_tags: ['starred', 'unread', 'unseen'] }],
      ['INBOX', {}],
    ])('in %s do not change by %j', async (folder, body) => {
      const { threadId } = await message(folder);
      const before = await thread(threadId);
      expect(await told(() => tag(threadId, body))).toEqual([]);
      expect(await thread(threadId)).toEqual(before);
      expect(await jobs()).toEqual([]);
    });

    it('leave sent mail and drafts where they are', async () => {
      const { threadId } = await message('INBOX');
      await env.seed.message(account, { threadId, folders: ['Sent'], sent: true });
      await env.seed.message(account, { threadId, folders: ['Drafts'], draft: true });
      await tag(threadId, { add_tags: ['trash', 'starred'] });
      expect(await tagsOf(threadId)).toEqual(['drafts', 'sent', 'starred', 'trash']);
      const rows = await env.seed.sql('SELECT folder_id, starred FROM actions WHERE account_id = $1 ORDER BY seq', [
        account.id,
      ]);
      expect(rows).toEqual([
        { folder_id: account.folders['Trash'], starred: true },
        { folder_id: null, starred: true },
      ]);
    });

    it('unread and unseen', async () => {
      const { threadId } = await env.seed.message(account, { unread: true });
      await env.seed.message(account, { unread: true, threadId });
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [account.id]);
      await tag(threadId, { add_tags: ['starred'] });
      expect(await tagsOf(threadId)).toEqual(['inbox', 'starred', 'unread', 'unseen']);
      expect(await told(() => tag(threadId, { remove_tags: ['unseen'] }))).toEqual(['modify thread']);
      expect(await tagsOf(threadId)).toEqual(['inbox', 'starred', 'unread']);
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [account.id]);
      await tag(threadId, { remove_tags: ['unread', 'starred'] });
      expect(await tagsOf(threadId)).toEqual(['inbox']);
      const after = await tag(threadId, { add_tags: ['unread'] });
      expect(after).toMatchObject({ unread: true });
      expect(await api.ok(`${v1}/messages?thread_id=${threadId}&view=ids`)).toHaveLength(2);
      expect(await api.ok(`/messages?thread_id=${threadId}&unread=true&view=ids`)).toHaveLength(2);
    });

    it('unseen goes when one of the messages is read', async () => {
      const { threadId, id } = await env.seed.message(account, { unread: true });
      await env.seed.message(account, { unread: true, threadId });
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [account.id]);
      await tag(threadId, { add_tags: [] });
      await ok(put(`${v1}/messages/${id}`, { unread: false }));
      expect(await tagsOf(threadId)).toEqual(['inbox', 'unread']);
    });

    it('make the folder that is missing, or take the one of that name', async () => {
      account = await env.seed.account({ folders: { INBOX: 'inbox', trash: null } });
      api = env.client.as(account.token);
      v1 = `/n/${account.id}`;
      const { threadId } = await message('INBOX');
      await tag(threadId, { remove_tags: ['inbox'] });
      expect(await tagsOf(threadId)).toEqual(['archive']);
      expect((await jobs()).map(({ action }) => action)).toEqual(['update_message', 'create_folder']);
      await tag(threadId, { add_tags: ['trash'] });
      expect(await tagsOf(threadId)).toEqual([account.folders['trash']]);
      expect((await jobs()).filter(({ action }) => action === 'create_folder')).toHaveLength(1);
    });

    it('are checked', async () => {
      const { threadId } = await message('INBOX');
      const url = `${v1}/threads/${threadId}`;
      const { version } = await thread(threadId);
      await refused(put(url, { add_tags: ['nobody'] }), 404, "Couldn't find tag nobody");
      await refused(put(url, { add_tags: ['unseen'] }), 400, 'Cannot add read-only tag unseen');
      await refused(put(url, { remove_tags: ['sent'] }), 400, 'Cannot remove read-only tag sent');
      await refused(put(url, { add_tags: ['taxes/2024'] }), 400, 'Cannot add read-only tag taxes/2024');
      await refused(put(url, { subject: 'x' }), 400, 'Can only add or remove tags from thread.');
      await refused(
        put(url, { add_tags: ['starred'], version: version + 1 }),
        409,
        `Thread ${threadId} has been updated to version ${version}`,
      );
      expect(await tagsOf(threadId)).toEqual(['inbox']);
      const changed = await tag(threadId, { add_tags: ['starred'], version });
      expect(changed.version).toBe(version + 1);
      await refused(put(`${v1}/threads/${NOBODY}`, { add_tags: [] }), 404, `Couldn't find thread ${NOBODY}`);
    });
  });

  describe('messages and threads', () => {
    it('change at once, and are told of', async () => {
      const { id, threadId } = await message('INBOX');
      const folder = account.folders['Taxes/2024'];
      const seen = await told(async () => {
        const changed = await ok(put(`/messages/${id}`, { unread: true, starred: true, folder_id: folder }));
        expect(changed).toMatchObject({ unread: true, starred: true, folder: { id: folder } });
      });
      expect(seen).toEqual(['modify message', 'modify thread']);
      expect(await api.ok(`/threads/${threadId}`)).toMatchObject({ unread: true, starred: true });
      const back = await ok(put(`/threads/${threadId}`, { unread: false, folder_id: account.folders['INBOX'] }));
      expect(back).toMatchObject({ unread: false, starred: true, folders: [{ id: account.folders['INBOX'] }] });
      expect(await told(() => ok(send('PATCH', `/messages/${id}`, { starred: false })))).toHaveLength(2);
      expect(await told(() => ok(put(`/messages/${id}`, { starred: false })))).toEqual([]);
      expect(await jobs()).toHaveLength(3);
    });

    it('leave a draft in its folder', async () => {
      const { id } = await env.seed.message(account, { folders: ['Drafts'], draft: true });
      const text = 'The folder of a draft cannot be changed (folder_id)';
      await refused(put(`/messages/${id}`, { folder_id: account.folders['Archive'] }), 400, text);
      await ok(put(`/messages/${id}`, { folder_id: account.folders['Drafts'], starred: true }));
      expect(await jobs()).toHaveLength(1);
    });

    it('refuse what they do not have', async () => {
      const { id, threadId } = await message('INBOX');
      for (const url of [`/messages/${id}`, `/threads/${threadId}`]) {
        await refused(put(url, { subject: 'x' }), 400, 'Unexpected attribute: subject');
        await refused(put(url, []), 400, 'Invalid request body');
        await refused(put(url, {}), 400, 'empty request body');
        await refused(put(url, { unread: 'yes' }), 400, '"unread" must be true or false');
        await refused(put(url, { starred: 0 }), 400, '"starred" must be true or false');
        await refused(put(url, { folder_id: null }), 400, 'Removing all folders is not allowed.');
        await refused(put(url, { folder_id: NOBODY }), 400, `The folder ${NOBODY} does not exist`);
      }
      const refusal = 'Can only change the unread attribute of a message';
      await refused(put(`${v1}/messages/${id}`, { subject: 'x' }), 400, refusal);
      await refused(put(`/messages/${NOBODY}`, { unread: true }), 404, `Couldn't find message ${NOBODY}`);
      await refused(put(`/threads/${NOBODY}`, { unread: true }), 404, `Couldn't find thread ${NOBODY}`);
      expect(await jobs()).toEqual([]);
    });

    it("of another account are nobody's", async () => {
      const stranger = await env.seed.account();
      const theirs = await env.seed.message(stranger);
      await refused(put(`/messages/${theirs.id}`, { unread: true }), 404, `Couldn't find message ${theirs.id}`);
      await refused(
        put(`/threads/${theirs.threadId}`, { unread: true }),
        404,
        `Couldn't find thread ${theirs.threadId}`,
      );
      const folder = stranger.folders['INBOX']!;
      await refused(put(`/folders/${folder}`, { display_name: 'x' }), 404, `Couldn't find folder ${folder}`);
      await refused(send('DELETE', `/folders/${folder}`, {}), 404, `Couldn't find folder ${folder}`);
      const { id } = await message('INBOX');
      await refused(put(`/messages/${id}`, { folder_id: folder }), 400, `The folder ${folder} does not exist`);
    });
  });

  describe('folders', () => {
    const create = (name: unknown) => send('POST', '/folders', { display_name: name });

    it('are created, nested, renamed with what is below, and deleted', async () => {
      let id = '';
      const made = async () => ({ id } = await ok<{ id: string }>(create('Work')));
      expect(await told(made)).toEqual(['create folder', 'create tag']);
      const { id: below } = await ok<{ id: string }>(create('Work/2026'));
      const renaming = await told(() => ok(put(`/folders/${id}`, { display_name: 'Job' })));
      expect(renaming.filter((change) => change.endsWith('folder'))).toEqual(['modify folder', 'modify folder']);
      expect(await api.ok(`/folders/${below}`)).toMatchObject({ display_name: 'Job/2026', name: null });
      // Paths are what the provider will have made of them by then.
      await ok(put(`/folders/${below}`, { display_name: 'Deep/Job/2026' }));
      await ok(put(`/folders/${id}`, { display_name: 'Deep/Job' }));
      await ok(create('Plain'));
      await ok(send('DELETE', `/folders/${below}`, {}));
      await refused(api.get(`/folders/${below}`), 404, `Couldn't find folder ${below}`);
      const rows = await env.seed.sql('SELECT kind, details FROM actions WHERE account_id = $1 ORDER BY seq', [
        account.id,
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
      expect((await jobs())[0]).toMatchObject({ action: 'delete_folder', object: 'folder', folder_id: below });
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
      const mine = account.folders['Taxes/2024']!;
      const { id } = await ok<{ id: string }>(create('Mine'));
      await refused(put(`/folders/${id}`, { display_name: name }), 400, text);
      expect(await api.ok(`/folders/${mine}`)).toMatchObject({ display_name: 'Taxes/2024' });
    });

    it('that are standard stay, and so does one with messages in it', async () => {
      const inbox = account.folders['INBOX']!;
      await refused(put(`/folders/${inbox}`, { display_name: 'x' }), 400, 'Cannot modify a standard folder');
      await refused(send('DELETE', `/folders/${inbox}`, {}), 400, 'Cannot modify a standard folder');
      const [taxes, text] = [account.folders['Taxes/2024']!, 'cannot be deleted because it contains messages.'];
      const { id } = await message('INBOX');
      await ok(put(`/messages/${id}`, { folder_id: taxes }));
      await refused(send('DELETE', `/folders/${taxes}`, {}), 400, `Folder ${taxes} ${text}`);
      const { id: work } = await ok<{ id: string }>(create('Work'));
      await env.seed.sql('UPDATE message_uids SET folder_id = $2 WHERE account_id = $1', [account.id, work]);
      await refused(send('DELETE', `/folders/${work}`, {}), 400, `Folder ${work} ${text}`);
      await refused(put(`/folders/${NOBODY}`, { display_name: 'x' }), 404, `Couldn't find folder ${NOBODY}`);
    });

    it('are not those of an account with labels', async () => {
      const labelled = await env.seed.account({ unit: 'label' });
      api = env.client.as(labelled.token);
      await refused(create('x'), 404, 'This account has labels, not folders.');
    });
  });

  describe('job statuses', () => {
    it('tell the newest first, page, and know only their own account', async () => {
      const ids: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        const { id } = await message('INBOX');
        await ok(put(`/messages/${id}`, { starred: true }));
        ids.unshift(id);
      }
      const all = await jobs();
      expect(all.map((job) => job.message_id)).toEqual(ids);
      expect(await api.ok(`${v1}/job-statuses?limit=1&offset=1`)).toEqual([all[1]]);
      expect(await api.ok(`/job-statuses/${all[0]!.id}`)).toEqual({
        ...all[0],
        job_status_id: all[0]!.id,
        account_id: account.id,
        reason: null,
        created_at: expect.any(Number),
      });
      await refused(api.get(`/job-statuses/${NOBODY}`), 404, `Couldn't find job status ${NOBODY}`);
      const stranger = env.client.as((await env.seed.account()).token);
      expect(await stranger.ok('/job-statuses')).toEqual([]);
      expect((await stranger.get(`/job-statuses/${all[0]!.id}`)).status).toBe(404);
    });
  });
});
