import { DraftView, MessageView } from '#libs/domain/messages/message.view.js';
import { ThreadView } from '#libs/domain/threads/thread.view.js';

import type { ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount, SeededMessage } from '../support/seed.js';

interface WithId {
  readonly id: string;
}

const DAY = 86_400;
const JAN_1 = 1_704_067_200;
const day = (n: number): number => JAN_1 + n * DAY;

/** Five threads, by day of their last message: plan 1-2, invoice 3, lunch 4, news 5, draft 6. */
async function seedMail(env: ApiEnv, account: SeededAccount) {
  const plan = await env.seed.message(account, {
    subject: 'Plan',
    from: 'Ben <ben@example.net>',
    to: ['ada@example.com'],
    at: day(1),
    messageIdHeader: 'plan-1@example.net',
    body: '<b>the "plan"</b>',
  });
  const reply = await env.seed.message(account, {
    threadId: plan.threadId,
    subject: 'Re: Plan',
    from: 'ada@example.com',
    to: ['Ben <ben@example.net>'],
    bcc: ['boss@example.org'],
    at: day(2),
    sent: true,
    folders: ['Sent'],
    inReplyTo: 'plan-1@example.net',
    references: ['plan-0@example.net', 'plan-1@example.net'],
  });
  const invoice = await env.seed.message(account, {
    subject: 'Invoice',
    from: 'Shop <s.h.o.p@gmail.com>',
    cc: ['carl@example.org'],
    at: day(3),
    unread: true,
    folders: ['INBOX', 'Taxes/2024'],
    files: [
      { filename: 'invoice.pdf' },
      { filename: 'logo.png', contentType: 'image/png', contentId: 'logo', disposition: 'inline' },
    ],
  });
  const lunch = await env.seed.message(account, { subject: 'Lunch?', at: day(4), starred: true });
  const news = await env.seed.message(account, {
    subject: 'Grüße 📬 "quoted"',
    replyTo: ['list@example.org'],
    at: day(5),
    unread: true,
    folders: ['Taxes/2024'],
  });
  const draft = await env.seed.message(account, {
    subject: 'Unfinished',
    from: 'ada@example.com',
    to: ['dora@example.org'],
    at: day(6),
    draft: true,
    folders: ['Drafts'],
  });
  return { plan, reply, invoice, lunch, news, draft };
}

describe('reading mail', () => {
  let env: ApiEnv;
  let api: ApiClient;
  let account: SeededAccount;
  let mail: Awaited<ReturnType<typeof seedMail>>;
  let v1: string;

  beforeAll(async () => {
    env = await startApiEnv();
    account = await env.seed.account();
    api = env.client.as(account.token);
    mail = await seedMail(env, account);
    v1 = `/n/${account.id}`;
  });
  afterAll(() => env.stop());

  type Name = keyof typeof mail;
  const names = (ids: readonly string[], key: keyof Pick<SeededMessage, 'id' | 'threadId'>): string[] =>
    ids.map((id) => Object.entries(mail).find(([, message]) => message[key] === id)?.[0] ?? id);
  const threads = async (query: string) =>
    names(
      (await api.ok<WithId[]>(`/threads?${query}`)).map(({ id }) => id),
      'threadId',
    );
  const messages = async (query: string, prefix = '') =>
    names(
      (await api.ok<WithId[]>(`${prefix}/messages?${query}`)).map(({ id }) => id),
      'id',
    );

  describe('threads', () => {
    const all: Name[] = ['draft', 'news', 'lunch', 'invoice', 'plan'];

    it('come newest last message first', async () => {
      expect(await threads('')).toEqual(all);
    });

    it('look like this in API v1', async () => {
      const thread = await api.ok<Record<string, unknown>>(`${v1}/threads/${mail.plan.threadId}`);
      expect(thread).toEqual({
        id: mail.plan.threadId,
        object: 'thread',
        namespace_id: account.id,
        account_id: account.id,
        subject: 'Plan',
        participants: [
          { name: 'Ben', email: 'ben@example.net' },
          { name: '', email: 'ada@example.com' },
          { name: '', email: 'boss@example.org' },
        ],
        last_message_timestamp: day(2),
        last_message_received_timestamp: day(1),
        last_message_sent_timestamp: day(2),
        first_message_timestamp: day(1),
        snippet: 'Hello there',
        unread: false,
        starred: false,
        has_attachments: false,
        version: 1,
        message_ids: [mail.plan.id, mail.reply.id],
        draft_ids: [],
        tags: expect.arrayContaining([
          { id: 'inbox', name: 'inbox' },
          { id: 'sent', name: 'sent' },
        ]),
      });
      expect(thread['tags']).toHaveLength(2);
    });

    it('name folders instead of tags in API v2', async () => {
      const thread = await api.ok<Record<string, unknown>>(`/threads/${mail.invoice.threadId}`);
      expect(thread).not.toHaveProperty('tags');
      expect(thread).not.toHaveProperty('labels');
      expect(thread['folders']).toEqual([
        { id: account.folders['INBOX'], name: 'inbox', display_name: 'INBOX' },
        { id: account.folders['Taxes/2024'], name: null, display_name: 'Taxes/2024' },
      ]);
    });

    it('carry states and folders as tags, each once', async () => {
      const { tags } = await api.ok<{ tags: WithId[] }>(`${v1}/threads/${mail.invoice.threadId}`);
      expect(tags).toHaveLength(4);
      expect(tags).toEqual(
        expect.arrayContaining([
          { id: 'attachment', name: 'attachment' },
          { id: 'unread', name: 'unread' },
          { id: 'inbox', name: 'inbox' },
          { id: account.folders['Taxes/2024'], name: 'taxes/2024' },
        ]),
      );
    });

    it('are all as their schema says, in both dialects', async () => {
      for (const prefix of ['', v1]) {
        const list = await api.ok<unknown[]>(`${prefix}/threads`);
        for (const thread of list) ThreadView.strict().parse(thread);
      }
    });

    it.each<[string, Name[]]>([
      ['subject=Plan', ['plan']],
      ['subject=plan', []],
      [`subject=${encodeURIComponent('Grüße 📬 "quoted"')}`, ['news']],
      ['any_email=ben@example.net', ['news', 'lunch', 'plan']],
      ['any_email=BEN@Example.NET', ['news', 'lunch', 'plan']],
      ['any_email=boss@example.org', ['plan']],
      ['any_email=boss@example.org,carl@example.org', ['invoice', 'plan']],
      ['any_email=list@example.org', []],
      ['from=shop@gmail.com', ['invoice']],
      ['from=ada@example.com', ['draft', 'plan']],
      ['to=ben@example.net', ['plan']],
      ['cc=carl@example.org', ['invoice']],
      ['to=carl@example.org', []],
      ['bcc=boss@example.org', ['plan']],
      ['tag=unread', ['news', 'invoice']],
      ['tag=starred', ['lunch']],
      ['tag=attachment', ['invoice']],
      ['tag=drafts', ['draft']],
      ['tag=sent', ['plan']],
      ['tag=inbox', ['lunch', 'invoice', 'plan']],
      ['tag=Inbox', ['lunch', 'invoice', 'plan']],
      ['in=taxes/2024', ['news', 'invoice']],
      ['tag=nothing-of-that-name', []],
      ['filename=invoice.pdf', ['invoice']],
      ['filename=Invoice.pdf', []],
      ['unread=true', ['news', 'invoice']],
      ['unread=True', ['news', 'invoice']],
      ['unread=false', ['draft', 'lunch', 'plan']],
      ['starred=true', ['lunch']],
      ['starred=FALSE', ['draft', 'news', 'invoice', 'plan']],
      ['has_attachment=true', ['invoice']],
      ['has_attachment=false', ['draft', 'news', 'lunch', 'plan']],
      [`started_before=${day(2)}`, ['plan']],
      [`started_before=${day(1)}`, []],
      [`started_after=${day(4)}`, ['draft', 'news']],
      ['started_after=2024-01-05T00:00:00Z', ['draft', 'news']],
      ['started_after=2024-01-05', ['draft', 'news']],
      [`last_message_before=${day(3)}`, ['plan']],
      [`last_message_after=${day(2)}`, ['draft', 'news', 'lunch', 'invoice']],
      [`tag=unread&last_message_after=${day(3)}`, ['news']],
      ['tag=unread&in=inbox', ['invoice']],
      ['tag=unread&any_email=ben@example.net', ['news']],
      ['from=ben@example.net&to=ben@example.net', ['plan']],
      ['in=inbox&starred=true&unread=false', ['lunch']],
      ['limit=2', ['draft', 'news']],
      ['limit=2&offset=3', ['invoice', 'plan']],
      ['limit=0', []],
      ['offset=100', []],
      ['tag=inbox&limit=1&offset=1', ['invoice']],
      ['tag=sent&limit=1&offset=1', []],
      ['any_email=ben@example.net&limit=1&offset=1', ['lunch']],
      ['subject=&tag=&unread=', ['draft', 'news', 'lunch', 'invoice', 'plan']],
      ['from=ada@example.com&thread_id=0', []],
    ])('pass %s', async (query, expected) => {
      expect(await threads(query)).toEqual(expected);
      const ids = await api.ok<string[]>(`/threads?${query}&view=ids`);
      expect(names(ids, 'threadId')).toEqual(expected);
      if (!/limit|offset/.test(query)) {
        expect(await api.ok(`${v1}/threads?${query}&view=count`)).toEqual({ count: expected.length });
      }
    });

    it('pass thread_id, a tag by its id, and a page far in', async () => {
      expect(await threads(`thread_id=${mail.lunch.threadId.toUpperCase()}`)).toEqual(['lunch']);
      expect(await threads(`tag=${account.folders['Taxes/2024']}`)).toEqual(['news', 'invoice']);
      expect(await threads('offset=60000')).toEqual([]);
    });

    it('expand to their messages and drafts without bodies', async () => {
      const thread = await api.ok<{ messages: WithId[]; drafts: WithId[] }>(
        `/threads/${mail.plan.threadId}?view=expanded`,
      );
      expect(thread).not.toHaveProperty('message_ids');
      expect(thread).not.toHaveProperty('draft_ids');
      expect(thread.messages.map(({ id }) => id)).toEqual([mail.plan.id, mail.reply.id]);
      expect(thread.messages[0]).toMatchObject({ object: 'message', account_id: account.id, subject: 'Plan' });
      expect(thread.messages[0]).not.toHaveProperty('body');
      const list = await api.ok<{ drafts: unknown[] }[]>(`${v1}/threads?view=expanded&tag=drafts`);
      expect(list).toMatchObject([{ messages: [], drafts: [{ object: 'draft', version: 0 }] }]);
    });
  });

  describe('messages', () => {
    const all: Name[] = ['news', 'lunch', 'invoice', 'reply', 'plan'];

    it('come newest first, without drafts', async () => {
      expect(await messages('')).toEqual(all);
      expect(await messages('', v1)).toEqual(all);
    });

    it('look like this', async () => {
      const shared = {
        id: mail.invoice.id,
        object: 'message',
        namespace_id: account.id,
        account_id: account.id,
        subject: 'Invoice',
        from: [{ name: 'Shop', email: 's.h.o.p@gmail.com' }],
        to: [{ name: 'Ada Owner', email: 'ada@example.com' }],
        cc: [{ name: '', email: 'carl@example.org' }],
        bcc: [],
        reply_to: [],
        date: day(3),
        thread_id: mail.invoice.threadId,
        snippet: 'Hello there',
        body: '<p>Hello</p>',
        unread: true,
        starred: false,
        files: [
          {
            id: mail.invoice.fileIds[0],
            object: 'file',
            content_type: 'application/pdf',
            filename: 'invoice.pdf',
            size: 1234,
            content_disposition: 'attachment',
          },
          {
            id: mail.invoice.fileIds[1],
            object: 'file',
            content_type: 'image/png',
            filename: 'logo.png',
            size: 1234,
            content_id: 'logo',
            content_disposition: 'inline',
          },
        ],
        events: [],
      };
      expect(await api.ok(`${v1}/messages/${mail.invoice.id}`)).toEqual(shared);
      expect(await api.ok(`/messages/${mail.invoice.id}`)).toEqual({
        ...shared,
        folder: { id: account.folders['INBOX'], name: 'inbox', display_name: 'INBOX' },
      });
    });

    it('are all as their schema says', async () => {
      for (const message of await api.ok<unknown[]>('/messages?view=expanded')) MessageView.strict().parse(message);
      for (const draft of await api.ok<unknown[]>(`${v1}/drafts`)) DraftView.strict().parse(draft);
    });

    it('show the headers that tie them together when expanded', async () => {
      const headers = {
        'Message-Id': `<${mail.reply.id}@example.com>`,
        'In-Reply-To': '<plan-1@example.net>',
        References: ['<plan-0@example.net>', '<plan-1@example.net>'],
      };
      expect(await api.ok(`/messages/${mail.reply.id}?view=expanded`)).toMatchObject({ headers });
      expect(await api.ok(`/messages/${mail.reply.id}`)).not.toHaveProperty('headers');
    });

    it('come several at once by a list of ids, those that exist', async () => {
      const found = await api.ok<WithId[]>(`/messages/${mail.news.id},${mail.plan.id},0000`);
      expect(found.map(({ id }) => id)).toEqual([mail.news.id, mail.plan.id]);
      expect((await api.get('/messages/0000,0001')).status).toBe(404);
    });

    it.each<[string, Name[]]>([
      ['subject=Re%3A%20Plan', ['reply']],
      ['any_email=ben@example.net', ['news', 'lunch', 'reply', 'plan']],
      ['any_email=ben@example.net,carl@example.org', ['news', 'lunch', 'invoice', 'reply', 'plan']],
      ['from=ben@example.net', ['news', 'lunch', 'plan']],
      ['to=ben@example.net', ['reply']],
      ['bcc=boss@example.org', ['reply']],
      ['from=ada@example.com&to=ben@example.net', ['reply']],
      ['unread=true', ['news', 'invoice']],
      ['unread=false', ['lunch', 'reply', 'plan']],
      ['starred=true', ['lunch']],
      ['has_attachment=true', ['invoice']],
      ['in=inbox', ['lunch', 'invoice', 'plan']],
      ['in=sent', ['reply']],
      ['in=Taxes/2024', ['news', 'invoice']],
      ['in=drafts', []],
      ['tag=sent', ['reply', 'plan']],
      ['tag=inbox', ['lunch', 'invoice', 'reply', 'plan']],
      ['tag=none', []],
      ['filename=invoice.pdf', ['invoice']],
      [`received_before=${day(3)}`, ['reply', 'plan']],
      [`received_after=${day(3)}`, ['news', 'lunch']],
      [`in=inbox&received_before=${day(4)}`, ['invoice', 'plan']],
      [`from=ben@example.net&received_after=${day(4)}`, ['news']],
      [`started_before=${day(2)}`, ['reply', 'plan']],
      [`last_message_after=${day(4)}`, ['news']],
      ['limit=2&offset=1', ['lunch', 'invoice']],
      ['in=inbox&limit=1&offset=1', ['invoice']],
      ['limit=0', []],
    ])('pass %s', async (query, expected) => {
      expect(await messages(query)).toEqual(expected);
      expect(names(await api.ok<string[]>(`${v1}/messages?${query}&view=ids`), 'id')).toEqual(expected);
      if (!/limit|offset/.test(query)) {
        expect(await api.ok(`/messages?${query}&view=count`)).toEqual({ count: expected.length });
      }
    });

    it('of a thread come by thread_id; of none, none', async () => {
      expect(await messages(`thread_id=${mail.plan.threadId}`)).toEqual(['reply', 'plan']);
      expect(await messages('thread_id=zzzz')).toEqual([]);
    });
  });

  describe('drafts', () => {
    it('are listed apart, and by id', async () => {
      const [draft] = await api.ok<WithId[]>(`${v1}/drafts`);
      expect(draft).toMatchObject({ id: mail.draft.id, object: 'draft', version: 0, reply_to_message_id: null });
      expect(await api.ok(`/drafts/${mail.draft.id}`)).toMatchObject({ subject: 'Unfinished', body: '<p>Hello</p>' });
      expect(await api.ok('/drafts?view=count')).toEqual({ count: 1 });
      expect(await api.ok('/drafts?view=ids&to=dora@example.org')).toEqual([mail.draft.id]);
      expect(await api.ok('/drafts?to=ben@example.net')).toEqual([]);
    });

    it('name the message they answer, however they are read', async () => {
      const ada = await env.seed.account();
      const { threadId, id } = await env.seed.message(ada, { messageIdHeader: 'asked@x' });
      const draft = { threadId, draft: true, folders: ['Drafts'] };
      await env.seed.message(ada, { threadId, messageIdHeader: 'asked-again@x', inReplyTo: 'asked@x' });
      const answer = await env.seed.message(ada, { ...draft, inReplyTo: 'asked@x' });
      const second = await env.seed.message(ada, { ...draft, inReplyTo: 'lost@x' });
      await env.seed.message(await env.seed.account(), { messageIdHeader: 'lost@x', threadId });
      const read = env.client.as(ada.token);
      expect(await read.ok('/drafts')).toMatchObject([
        { id: second.id, reply_to_message_id: null },
        { id: answer.id, reply_to_message_id: id },
      ]);
      const shown = { object: 'draft', id: answer.id, reply_to_message_id: id };
      expect(await read.ok(`/drafts/${answer.id}`)).toMatchObject(shown);
      expect(await read.ok(`/messages/${answer.id}`)).toMatchObject(shown);
      expect(await read.ok(`/threads/${threadId}?view=expanded`)).toMatchObject({
        drafts: expect.arrayContaining([expect.objectContaining(shown)]),
      });
    });

    it('are not messages, nor messages drafts', async () => {
      expect((await api.get(`/drafts/${mail.plan.id}`)).status).toBe(404);
      expect(await api.ok(`/messages/${mail.draft.id}`)).toMatchObject({ object: 'draft' });
    });
  });

  describe('tags and folders', () => {
    it('are one set under two names', async () => {
      const tags = await api.ok<WithId[]>(`${v1}/tags`);
      const taxes = account.folders['Taxes/2024'];
      expect(tags.map(({ id }) => id)).toEqual([
        'inbox',
        'drafts',
        'sent',
        'starred',
        'unread',
        'unseen',
        'attachment',
        taxes,
      ]);
      expect(tags.at(-1)).toEqual({
        id: taxes,
        object: 'tag',
        namespace_id: account.id,
        account_id: account.id,
        name: 'taxes/2024',
        readonly: true,
      });
      const folders = await api.ok<WithId[]>('/folders');
      expect(folders).toHaveLength(4);
      expect(folders).toContainEqual({
        id: account.folders['INBOX'],
        object: 'folder',
        account_id: account.id,
        namespace_id: account.id,
        name: 'inbox',
        display_name: 'INBOX',
      });
      expect(await api.ok(`/folders/${taxes}`)).toMatchObject({ name: null, display_name: 'Taxes/2024' });
    });

    it.each([
      ['inbox', 3, 1],
      ['unread', 2, 2],
      ['sent', 1, 0],
      ['unseen', 0, 0],
    ])('count the threads under %s', async (id, threadCount, unreadCount) => {
      expect(await api.ok(`${v1}/tags/${id}`)).toMatchObject({
        id,
        thread_count: threadCount,
        unread_count: unreadCount,
      });
    });

    it('are listed in views and by name', async () => {
      expect(await api.ok(`${v1}/tags?view=count`)).toEqual({ count: 8 });
      expect(await api.ok(`${v1}/tags?view=ids&limit=2&offset=1`)).toEqual(['drafts', 'sent']);
      expect(await api.ok(`${v1}/tags?tag_name=Taxes/2024&view=count`)).toEqual({ count: 1 });
      expect(await api.ok(`${v1}/tags?tag_id=inbox`)).toHaveLength(1);
      expect(await api.ok('/folders?view=count')).toEqual({ count: 4 });
      expect(await api.ok('/folders?limit=1')).toHaveLength(1);
    });

    it('show a folder that was just made, without a restart', async () => {
      const other = await env.seed.account();
      const client = env.client.as(other.token);
      expect(await client.ok('/folders?view=count')).toEqual({ count: 4 });
      await env.seed.sql(
        `INSERT INTO categories (account_id, id, kind, path, display_name) VALUES ($1, 'newfolder', 'folder', 'N', 'N')`,
        [other.id],
      );
      await env.seed.message(other, { folders: ['newfolder'] });
      expect(await client.ok('/threads')).toMatchObject([{ folders: [{ id: 'newfolder' }] }]);
    });

    it('answer 404 for labels on an account with folders, and the other way round', async () => {
      const labelled = await env.seed.account({ unit: 'label', folders: { INBOX: 'inbox', Work: null } });
      await env.seed.message(labelled, { folders: ['INBOX', 'Work'] });
      const client = env.client.as(labelled.token);
      expect(await api.get('/labels')).toMatchObject({ status: 404, json: { type: 'invalid_request_error' } });
      expect((await client.get('/folders')).status).toBe(404);
      const label = (path: string) =>
        expect.objectContaining({ id: labelled.folders[path], object: 'label' }) as unknown;
      const labels = await client.ok<unknown[]>('/labels');
      expect(labels).toHaveLength(2);
      expect(labels).toEqual(expect.arrayContaining([label('INBOX'), label('Work')]));
      const [thread] = await client.ok<Record<string, unknown>[]>('/threads');
      expect(thread).toMatchObject({ labels: [{ name: 'inbox' }, { name: null, display_name: 'Work' }] });
      expect(thread).not.toHaveProperty('folders');
      const [message] = await client.ok<Record<string, unknown>[]>('/messages');
      expect(message).toMatchObject({ labels: [{ name: 'inbox' }, { display_name: 'Work' }] });
      expect(message).not.toHaveProperty('folder');
    });
  });

  describe('files', () => {
    it('list attachments, not inline parts, and uploads', async () => {
      const other = await env.seed.account();
      const { id } = await env.seed.message(other, {
        files: [
          { filename: 'a.zip', contentType: 'application/zip' },
          { disposition: 'inline' },
          { filename: 'b.pdf' },
        ],
      });
      const [upload] = await env.seed.files(other.id, null, [{ filename: 'c.pdf', size: 7 }]);
      const client = env.client.as(other.token);
      const filenames = async (query: string) =>
        (await client.ok<{ filename: string }[]>(`/files?${query}`)).map(({ filename }) => filename);
      expect(await filenames('')).toEqual(['a.zip', 'b.pdf', 'c.pdf']);
      expect(await filenames(`message_id=${id}`)).toEqual(['a.zip', 'b.pdf']);
      expect(await filenames('filename=b.pdf')).toEqual(['b.pdf']);
      expect(await filenames('content_type=application%2Fzip')).toEqual(['a.zip']);
      expect(await filenames('limit=1&offset=1')).toEqual(['b.pdf']);
      expect(await client.ok('/files?view=count&content_type=application/pdf')).toEqual({ count: 2 });
      expect(await client.ok('/files?view=ids&filename=c.pdf')).toEqual([upload]);
      expect(await client.ok(`/files/${upload}`)).toEqual({
        id: upload,
        object: 'file',
        namespace_id: other.id,
        account_id: other.id,
        content_type: 'application/pdf',
        filename: 'c.pdf',
        size: 7,
        content_disposition: 'attachment',
      });
      expect(await client.ok('/files?filename=a.zip')).toMatchObject([{ message_ids: [id], content_id: null }]);
    });
  });

  describe('the account', () => {
    it('is a namespace in API v1', async () => {
      const namespace = {
        id: account.id,
        object: 'namespace',
        namespace_id: account.id,
        account_id: account.id,
        email_address: account.email,
        name: 'Ada Owner',
        provider: 'imap',
      };
      expect(await api.ok('/n')).toEqual([namespace]);
      expect(await api.ok(`/n/${account.id}/`)).toEqual(namespace);
      expect(await api.ok('/n?email_address=other@example.com')).toEqual([]);
      expect(await api.ok('/n?limit=0')).toEqual([]);
      expect(await api.ok('/account')).toMatchObject({ object: 'account', organization_unit: 'folder' });
    });

    it('shows its servers when it is expanded', async () => {
      const server = { port: 143, security: 'starttls', username: 'ada', verifyCertificate: true };
      const settings = { imap: { ...server, host: 'imap.example.com' }, smtp: null };
      const ada = await env.seed.account();
      await env.seed.sql('UPDATE accounts SET settings = $2 WHERE id = $1', [ada.id, settings]);
      const read = env.client.as(ada.token);
      const plain = await read.ok<object>('/account');
      expect(plain).not.toHaveProperty('server_settings');
      const servers = { imap_host: 'imap.example.com', imap_port: 143, smtp_host: null, smtp_port: null };
      for (const path of ['/account?view=expanded', `/n/${ada.id}/account/?view=expanded`]) {
        expect(await read.ok(path)).toEqual({ ...plain, server_settings: servers });
      }
      await env.seed.sql(`UPDATE accounts SET provider = 'gmail' WHERE id = $1`, [ada.id]);
      expect(await read.ok('/account?view=expanded')).toEqual({ ...plain, provider: 'gmail' });
      expect(await read.get('/account?view=huge')).toMatchObject({ status: 400 });
    });

    it('shows how far its sync is', async () => {
      await env.seed.sql(
        `INSERT INTO folder_syncs (account_id, folder_id, total, synced, state, last_error)
         VALUES ($1, $2, 9, 3, 'failing', 'The server hung up')`,
        [account.id, account.folders['INBOX']],
      );
      await env.seed.sql(
        `INSERT INTO account_events (account_id, id, at, level, kind, message)
         VALUES ($1, 'e1', to_timestamp(${day(1)}), 'warn', 'folder.failed', 'INBOX could not be read')`,
        [account.id],
      );
      const status = await api.ok<{ folders: WithId[] }>('/status');
      expect(status).toMatchObject({ sync_state: 'running', sync_state_reason: null, sync_enabled: true });
      expect(status.folders).toContainEqual({
        id: account.folders['INBOX'],
        name: 'inbox',
        display_name: 'INBOX',
        total: 9,
        synced: 3,
        state: 'failing',
        last_error: 'The server hung up',
        last_pass_at: null,
        drift_checked_at: null,
        drift_repaired: 0,
      });
      expect(status).toMatchObject({ drift_checked_at: null, drift_repaired: 0 });
      await env.seed.sql(
        `INSERT INTO folder_syncs (account_id, folder_id, state, drift_checked_at, drift_repaired)
         SELECT account_id, id, 'running', to_timestamp(${day(2)}), 2 FROM categories WHERE account_id = $1 AND kind = 'folder'
         ON CONFLICT (account_id, folder_id) DO UPDATE SET drift_checked_at = to_timestamp(${day(1)}), drift_repaired = 5`,
        [account.id],
      );
      const checked = await api.ok<{ folders: WithId[]; drift_repaired: number }>('/status');
      expect(checked).toMatchObject({ drift_checked_at: day(1), drift_repaired: 5 + 2 * (checked.folders.length - 1) });
      expect(status).toMatchObject({
        events: [{ id: 'e1', at: day(1), level: 'warn', kind: 'folder.failed', message: 'INBOX could not be read' }],
      });
    });
  });

  describe('bad input', () => {
    it.each([
      ['/threads?limit=x', 'Limit parameter must be an integer.'],
      ['/threads?limit=-1', 'Limit parameter must be nonnegative.'],
      ['/threads?limit=1001', 'Cannot request more than 1000 resources at once (limit).'],
      ['/messages?limit=1.5', 'Limit parameter must be an integer.'],
      ['/files?limit=99999999999999999999', 'Cannot request more than 1000 resources at once (limit).'],
      ['/threads?offset=x', 'Offset parameter must be an integer.'],
      ['/threads?offset=-2', 'Offset parameter must be nonnegative.'],
      ['/threads?offset=99999999999999999999', 'Offset parameter must be at most 9007199254740991.'],
      ['/threads?view=all', 'Unknown view type all.'],
      ['/threads?unread=maybe', 'Value must be "true" or "false" (not "maybe") for unread'],
      ['/messages?starred=1', 'Value must be "true" or "false" (not "1") for starred'],
      ['/threads?started_before=tomorrow', 'Invalid datetime value tomorrow for started_before'],
      ['/threads?last_message_after=-5', 'Invalid timestamp value -5 for last_message_after'],
      ['/messages?received_after=2024-13-01', 'Invalid datetime value 2024-13-01 for received_after'],
      ['/threads?started_after=2023-02-29', 'Invalid datetime value 2023-02-29 for started_after'],
      ['/threads?started_after=2023-04-31T12:00:00Z', 'Invalid datetime value 2023-04-31T12:00:00Z for started_after'],
      ['/n/a-b/threads', 'Invalid id: a-b for namespace_id'],
      ['/messages?thread_id=a-b', 'Invalid id: a-b for thread_id'],
      ['/files?message_id=a_b', 'Invalid id: a_b for message_id'],
      ['/threads/a-b', 'Invalid id: a-b for id'],
      ['/messages/abc,d!', 'Invalid id: d! for id'],
      ['/threads?any_email=nobody', 'Invalid recipient address nobody for any_email'],
      ['/threads?to=a@b,c@d', 'Invalid recipient address a@b,c@d for to'],
      [
        `/threads?any_email=${Array.from({ length: 26 }, (_, n) => `p${n}@x`).join(',')}`,
        'Too many emails. The current limit is 25 for any_email',
      ],
      [`/threads?subject=${'x'.repeat(256)}`, `Value ${'x'.repeat(40)}… for subject is too long`],
    ])('%s answers 400 and names the parameter', async (path, message) => {
      expect(await api.get(path)).toMatchObject({ status: 400, json: { type: 'invalid_request_error', message } });
    });

    it.each(['threads', 'messages', 'drafts', 'folders', 'files', `n/x/tags`])(
      'an unknown id in /%s is a 404',
      async (kind) => {
        const path = kind.replace('n/x', `n/${account.id}`);
        const answer = await api.get(`/${path}/0000000000000000000000000`);
        expect(answer).toMatchObject({ status: 404, json: { type: 'invalid_request_error' } });
      },
    );

    it('takes NUL, quotes and prototypes for text', async () => {
      expect(await threads(`subject=${encodeURIComponent(`' OR 1=1 --`)}`)).toEqual([]);
      expect(await api.get('/threads?subject=a%00b')).toMatchObject({
        status: 400,
        json: { message: 'Value for subject must not contain NUL' },
      });
      expect((await api.get('/threads?any_email=a%00@b')).status).toBe(400);
      expect((await api.get('/threads?__proto__=1&constructor=2')).status).toBe(200);
    });
  });
});
