import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

describe('two accounts', () => {
  let env: ApiEnv;
  let mine: SeededAccount;
  let theirs: SeededAccount;
  let ids: Readonly<Record<string, string>>;

  beforeAll(async () => {
    env = await startApiEnv();
    mine = await env.seed.account();
    theirs = await env.seed.account();
    const message = await env.seed.message(theirs, { subject: 'Secret', from: 'x@secret.example', files: [{}] });
    const draft = await env.seed.message(theirs, { draft: true, folders: ['Drafts'] });
    ids = {
      thread: message.threadId,
      message: message.id,
      draft: draft.id,
      file: message.fileIds[0] ?? '',
      folder: theirs.folders['Taxes/2024'] ?? '',
    };
  });
  afterAll(() => env.stop());

  it.each([
    ['threads', 'thread', ''],
    ['threads', 'thread', '?view=expanded'],
    ['messages', 'message', ''],
    ['messages', 'message', '/rfc2822'],
    ['messages', 'draft', ''],
    ['drafts', 'draft', ''],
    ['files', 'file', ''],
    ['files', 'file', '/download'],
    ['folders', 'folder', ''],
    ['tags', 'folder', ''],
  ])('GET /%s/<%s>%s of the other account is a 404 in both dialects', async (collection, kind, rest) => {
    const path = `${collection}/${ids[kind]}${rest}`;
    for (const prefix of collection === 'tags' ? [`/n/${mine.id}`] : ['', `/n/${mine.id}`]) {
      expect((await env.client.as(mine.token).get(`${prefix}/${path}`)).status).toBe(404);
    }
    if (!/rfc2822|download/.test(rest)) {
      expect((await env.client.as(theirs.token).get(`/n/${theirs.id}/${path}`)).status).toBe(200);
    }
  });

  it('do not share raw messages', async () => {
    const headers = { accept: 'message/rfc822' };
    expect((await env.client.as(mine.token).get(`/messages/${ids['message']}`, headers)).status).toBe(404);
  });

  it('do not share lists, counts or filters', async () => {
    const client = env.client.as(mine.token);
    for (const collection of ['threads', 'messages', 'drafts', 'files']) {
      expect(await client.ok(`/${collection}`)).toEqual([]);
      expect(await client.ok(`/${collection}?view=count`)).toEqual({ count: 0 });
    }
    for (const filter of [
      'subject=Secret',
      'from=x@secret.example',
      `thread_id=${ids['thread']}`,
      `in=${ids['folder']}`,
    ]) {
      expect(await client.ok(`/threads?${filter}`)).toEqual([]);
      expect(await client.ok(`/messages?${filter}&view=ids`)).toEqual([]);
    }
    expect(await client.ok(`/files?message_id=${ids['message']}`)).toEqual([]);
    expect((await env.client.as(theirs.token).ok<unknown[]>('/threads')).length).toBe(2);
  });

  it.each(['', '/threads', '/messages', '/drafts', '/tags', '/folders', '/files', '/account', '/status'])(
    'the namespace in /n/<other>%s must be the token’s own',
    async (path) => {
      const answer = await env.client.as(mine.token).get(`/n/${theirs.id}${path}`);
      expect(answer).toMatchObject({
        status: 404,
        json: { type: 'invalid_request_error', message: `Couldn't find namespace ${theirs.id}` },
      });
    },
  );

  it('see only themselves under /n', async () => {
    expect(await env.client.as(mine.token).ok('/n')).toMatchObject([{ id: mine.id }]);
  });
});
