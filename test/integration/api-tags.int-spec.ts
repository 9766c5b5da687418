import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { NOBODY, ok, refused, WritingUser } from '../support/writing-user.js';

describe('tags, as far as the API does them', () => {
  let env: ApiEnv;
  let user: WritingUser;

  beforeAll(async () => {
    env = await startApiEnv();
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    user = await WritingUser.of(env);
  });

  describe('tags', () => {
    const create = (name: string) => ok<{ id: string; name: string }>(user.send('POST', `${user.v1}/tags`, { name }));

    it('are known at once to filters, whichever process they were made in', async () => {
      await user.api.ok(`${user.v1}/threads?tag=inbox`);
      const { threadId } = await user.message('INBOX');
      await env.seed.sql(
        `INSERT INTO categories (account_id, id, kind, path, display_name) VALUES ($1, 'fresh', 'tag', 'fresh', 'fresh')`,
        [user.account.id],
      );
      await env.seed.sql(`UPDATE threads SET tag_ids = '{fresh}' WHERE account_id = $1`, [user.account.id]);
      await user.tag(threadId, { add_tags: ['starred'] });
      expect(await user.api.ok(`${user.v1}/threads?tag=fresh&view=ids`)).toEqual([threadId]);
    });

    it('are created, renamed and deleted, and followers are told', async () => {
      const { id: threadId } = await user.thread((await user.message('INBOX')).threadId);
      let id = '';
      expect(await user.told(async () => ({ id } = await create('Later')))).toEqual(['create tag']);
      expect(await user.api.ok(`${user.v1}/tags/${id}`)).toMatchObject({
        name: 'later',
        readonly: false,
        thread_count: 0,
      });
      expect(await user.told(() => user.tag(threadId, { add_tags: ['LATER'] }))).toEqual(['modify thread']);
      expect(await user.api.ok(`${user.v1}/tags/${id}`)).toMatchObject({ thread_count: 1, unread_count: 0 });
      expect(await user.api.ok(`${user.v1}/threads?tag=later&view=ids`)).toEqual([threadId]);
      expect(await user.told(() => ok(user.put(`${user.v1}/tags/${id}`, { name: 'Much Later' })))).toEqual([
        'modify tag',
      ]);
      expect(await user.told(() => ok(user.put(`${user.v1}/tags/${id}`, { name: 'MUCH later' })))).toEqual([]);
      expect((await user.thread(threadId)).tags).toContainEqual({ id, name: 'much later' });
      expect(await user.told(() => ok(user.send('DELETE', `${user.v1}/tags/${id}`, {})))).toEqual([
        'delete tag',
        'modify thread',
      ]);
      expect(await user.tagsOf(threadId)).toEqual(['inbox']);
      await refused(user.api.get(`${user.v1}/tags/${id}`), 404, `Couldn't find tag ${id}`);
      expect(await user.jobs()).toEqual([]);
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
      await refused(user.send('POST', `${user.v1}/tags`, body), status, text);
    });

    it('are not renamed or deleted when they are not the own ones', async () => {
      const [{ id }, { id: other }] = [await create('mine'), await create('mine too')];
      await refused(user.put(`${user.v1}/tags/${id}`, { name: '' }), 400, 'Malformed tag update request');
      await refused(user.put(`${user.v1}/tags/${id}`, { name: 'Mine Too' }), 409, 'Tag name already used');
      await refused(user.put(`${user.v1}/tags/${id}`, { name: 'spam' }), 409, 'Tag name already used');
      await refused(user.put(`${user.v1}/tags/inbox`, { name: 'x' }), 400, 'Cannot modify tag inbox');
      await refused(user.send('DELETE', `${user.v1}/tags/unread`, {}), 400, 'delete non user-created tag.');
      const taxes = user.account.folders['Taxes/2024']!;
      await refused(user.put(`${user.v1}/tags/${taxes}`, { name: 'x' }), 400, `Cannot modify tag ${taxes}`);
      await refused(user.put(`${user.v1}/tags/${NOBODY}`, { name: 'x' }), 404, `Couldn't find tag ${NOBODY}`);
      await refused(user.send('DELETE', `${user.v1}/tags/${NOBODY}`, {}), 404, `Couldn't find tag ${NOBODY}`);
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
      const { id, threadId } = await user.message(folder);
      const seen = await user.told(() => user.tag(threadId, body));
      expect(seen).toEqual(['modify message', 'modify thread']);
      expect(await user.tagsOf(threadId)).toEqual([expected]);
      expect(await user.jobs()).toEqual([
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
      const { threadId } = await user.message(folder);
      const before = await user.thread(threadId);
      expect(await user.told(() => user.tag(threadId, body))).toEqual([]);
      expect(await user.thread(threadId)).toEqual(before);
      expect(await user.jobs()).toEqual([]);
    });

    it('leave sent mail and drafts where they are', async () => {
      const { threadId } = await user.message('INBOX');
      await env.seed.message(user.account, { threadId, folders: ['Sent'], sent: true });
      await env.seed.message(user.account, { threadId, folders: ['Drafts'], draft: true });
      await user.tag(threadId, { add_tags: ['trash', 'starred'] });
      expect(await user.tagsOf(threadId)).toEqual(['drafts', 'sent', 'starred', 'trash']);
      const rows = await env.seed.sql('SELECT folder_id, starred FROM actions WHERE account_id = $1 ORDER BY seq', [
        user.account.id,
      ]);
      expect(rows).toEqual([
        { folder_id: user.account.folders['Trash'], starred: true },
        { folder_id: null, starred: true },
      ]);
    });

    it('unread and unseen', async () => {
      const { threadId } = await env.seed.message(user.account, { unread: true });
      await env.seed.message(user.account, { unread: true, threadId });
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [user.account.id]);
      await user.tag(threadId, { add_tags: ['starred'] });
      expect(await user.tagsOf(threadId)).toEqual(['inbox', 'starred', 'unread', 'unseen']);
      expect(await user.told(() => user.tag(threadId, { remove_tags: ['unseen'] }))).toEqual(['modify thread']);
      expect(await user.tagsOf(threadId)).toEqual(['inbox', 'starred', 'unread']);
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [user.account.id]);
      await user.tag(threadId, { remove_tags: ['unread', 'starred'] });
      expect(await user.tagsOf(threadId)).toEqual(['inbox']);
      const after = await user.tag(threadId, { add_tags: ['unread'] });
      expect(after).toMatchObject({ unread: true });
      expect(await user.api.ok(`${user.v1}/messages?thread_id=${threadId}&view=ids`)).toHaveLength(2);
      expect(await user.api.ok(`/messages?thread_id=${threadId}&unread=true&view=ids`)).toHaveLength(2);
    });

    it('unseen goes when one of the messages is read', async () => {
      const { threadId, id } = await env.seed.message(user.account, { unread: true });
      await env.seed.message(user.account, { unread: true, threadId });
      await env.seed.sql('UPDATE threads SET unseen = true WHERE account_id = $1', [user.account.id]);
      await user.tag(threadId, { add_tags: [] });
      await ok(user.put(`${user.v1}/messages/${id}`, { unread: false }));
      expect(await user.tagsOf(threadId)).toEqual(['inbox', 'unread']);
    });

    it('make the folder that is missing, or take the one of that name', async () => {
      user = await WritingUser.of(env, { INBOX: 'inbox', trash: null });
      const { threadId } = await user.message('INBOX');
      await user.tag(threadId, { remove_tags: ['inbox'] });
      expect(await user.tagsOf(threadId)).toEqual(['archive']);
      expect((await user.jobs()).map(({ action }) => action)).toEqual(['update_message', 'create_folder']);
      await user.tag(threadId, { add_tags: ['trash'] });
      expect(await user.tagsOf(threadId)).toEqual([user.account.folders['trash']]);
      expect((await user.jobs()).filter(({ action }) => action === 'create_folder')).toHaveLength(1);
    });

    it('are checked', async () => {
      const { threadId } = await user.message('INBOX');
      const url = `${user.v1}/threads/${threadId}`;
      const { version } = await user.thread(threadId);
      await refused(user.put(url, { add_tags: ['nobody'] }), 404, "Couldn't find tag nobody");
      await refused(user.put(url, { add_tags: ['unseen'] }), 400, 'Cannot add read-only tag unseen');
      await refused(user.put(url, { remove_tags: ['sent'] }), 400, 'Cannot remove read-only tag sent');
      await refused(user.put(url, { add_tags: ['taxes/2024'] }), 400, 'Cannot add read-only tag taxes/2024');
      await refused(user.put(url, { subject: 'x' }), 400, 'Can only add or remove tags from thread.');
      await refused(
        user.put(url, { add_tags: ['starred'], version: version + 1 }),
        409,
        `Thread ${threadId} has been updated to version ${version}`,
      );
      expect(await user.tagsOf(threadId)).toEqual(['inbox']);
      const changed = await user.tag(threadId, { add_tags: ['starred'], version });
      expect(changed.version).toBe(version + 1);
      await refused(user.put(`${user.v1}/threads/${NOBODY}`, { add_tags: [] }), 404, `Couldn't find thread ${NOBODY}`);
    });

    it('change with flags and folder in one step, or not at all', async () => {
      const { threadId } = await user.message('INBOX');
      const { version } = await user.thread(threadId);
      const taxes = user.account.folders['Taxes/2024'];
      const both = { add_tags: ['starred', 'trash'], unread: true, folder_id: taxes };
      const url = `${user.v1}/threads/${threadId}`;
      const text = `Thread ${threadId} has been updated to version ${version}`;
      await refused(user.put(url, { ...both, version: version + 1 }), 409, text);
      await refused(user.put(url, { ...both, folder_id: NOBODY }), 400, `The folder ${NOBODY} does not exist`);
      expect(await user.thread(threadId)).toMatchObject({ version, tags: [{ id: 'inbox' }] });
      expect(await user.jobs()).toEqual([]);
      const changed = await user.tag(threadId, { ...both, version });
      expect(changed.version).toBe(version + 1);
      expect(await user.tagsOf(threadId)).toEqual([taxes, 'starred', 'unread'].toSorted());
      expect(await user.jobs()).toHaveLength(1);
    });
  });
});
