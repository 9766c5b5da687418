import type { ImapFlow } from 'imapflow';

import { eventually } from '../support/eventually.js';
import { answering, letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';

interface Item {
  readonly id: string;
  readonly subject: string;
  readonly thread_id: string;
  readonly body: string;
  readonly files: readonly { readonly id: string }[];
}

/** Unix seconds of noon on a day of March 2024. */
const noon = (day: number) => Date.UTC(2024, 2, day, 12) / 1000;

const BINARY = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7) % 256));
const PROSE = 'Grüße aus Köln = ein Satz, der umgebrochen werden muss.\r\nZweite Zeile \r\n';
const QUOTED_PROSE =
  'Gr=C3=BC=C3=9Fe aus K=C3=B6ln =3D ein Satz, der um=\r\ngebrochen werden muss.\r\nZweite Zeile=20\r\n';

const part = (headers: readonly string[], content: string) => ['--b', ...headers, '', content];
const multipart = (...parts: readonly string[][]) => [...parts.flat(), '--b--'].join('\r\n');

/** A mailbox like a person's, oldest first: where it lies, when it came, its flags, and the mail. */
const mailbox: readonly (readonly [folder: string, day: number, flags: readonly string[], mail: string])[] = [
  ['INBOX', 1, ['\\Seen'], letter({ name: 'plan', subject: 'Plan', headers: ['Cc: carl@example.org'] })],
  [
    'Sent',
    2,
    ['\\Seen'],
    letter({
      name: 'plan-answer',
      subject: 'Re: Plan',
      from: 'Ada <ada@example.com>',
      to: 'Ben <ben@example.net>',
      headers: answering('plan'),
    }),
  ],
  [
    'INBOX',
    3,
    [],
    letter({
      name: 'invoice',
      subject: 'Invoice',
      from: 'Shop <shop@example.org>',
      headers: ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b'],
      text: multipart(
        part(['Content-Type: text/html; charset=utf-8'], '<p>Your <b>invoice</b></p>'),
        part(
          [
            'Content-Type: application/pdf',
            "Content-Disposition: attachment; filename*0*=UTF-8''Rechnung%20; filename*1*=M%C3%A4rz.pdf",
            'Content-Transfer-Encoding: base64',
          ],
          BINARY.toString('base64').replaceAll(/.{76}/g, '$&\r\n'),
        ),
        part(
          [
            'Content-Type: text/plain; charset=utf-8; name=terms.txt',
            'Content-Disposition: attachment',
            'Content-Transfer-Encoding: quoted-printable',
          ],
          QUOTED_PROSE,
        ),
      ),
    }),
  ],
  ['INBOX', 4, ['\\Seen', '\\Flagged'], letter({ name: 'lunch', subject: 'Lunch?', from: 'Dora <dora@example.org>' })],
  [
    'Archive',
    4,
    ['\\Seen', '\\Flagged'],
    letter({ name: 'lunch', subject: 'Lunch?', from: 'Dora <dora@example.org>' }),
  ],
  ['Projects/Moon', 5, ['\\Seen'], letter({ name: 'moon', subject: 'Moon', text: 'Rockets & <more>' })],
  [
    'Drafts',
    6,
    ['\\Draft', '\\Seen'],
    letter({ name: 'draft', subject: 'Unsaid', from: 'ada@example.com', to: 'eve@example.org' }),
  ],
];

const charsets: readonly (readonly [charset: string, bytes: Buffer, text: string])[] = [
  ['iso-8859-1', Buffer.from('Caf\xe9 cr\xe8me', 'latin1'), 'Café crème'],
  ['windows-1251', Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), 'Привет'],
  ['koi8-r', Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]), 'Привет'],
  ['iso-2022-jp', Buffer.from('\x1b$B$3$s$K$A$O\x1b(B', 'latin1'), 'こんにちは'],
  ['shift_jis', Buffer.from([0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9, 0x82, 0xbf, 0x82, 0xcd]), 'こんにちは'],
  ['gb18030', Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), '你好'],
  ['euc-kr', Buffer.from([0xbe, 0xc8, 0xb3, 0xe7]), '안녕'],
  ['utf-8', Buffer.from('Zażółć 📬'), 'Zażółć 📬'],
];

describe('a mailbox that was connected and synced', () => {
  let product: Product;
  let mail: ImapFlow;
  let ada: ConnectedAccount;

  beforeAll(async () => {
    product = await Product.start({ users: ['ada', 'bob'] });
    mail = await product.mailProgram();
    await mail.mailboxCreate('Projects/Moon');
    for (const [folder, day, flags, text] of mailbox)
      await mail.append(folder, text, [...flags], new Date(noon(day) * 1000));
    ada = await product.connect();
    await eventually(
      'the first sync',
      async () => (await ada.api.ok<{ sync_state: string }>('/status')).sync_state === 'running',
    );
  });
  afterAll(() => product?.stop());

  const subjects = async (path: string) => (await ada.api.ok<Item[]>(path)).map(({ subject }) => subject);
  const one = async (path: string) => (await ada.api.ok<Item[]>(path))[0]!;
  const message = (subject: string) => one(`/messages?subject=${encodeURIComponent(subject)}`);

  it('is not stored at all when the password is wrong', async () => {
    for (const wrong of [{ imap_password: 'no' }, { smtp_password: 'no' }]) {
      const answer = await product.authorize('bob', wrong);
      expect(answer).toMatchObject({ status: 403, json: { type: 'auth_error' } });
    }
    expect(await product.installation.query('SELECT email_address FROM accounts')).toEqual([
      { email_address: 'ada@example.com' },
    ]);
    expect(await product.installation.query('SELECT account_id FROM grants')).toHaveLength(1);
  });

  it('is one namespace with its folders and tags', async () => {
    expect(await ada.api.ok('/n')).toMatchObject([
      { id: ada.id, object: 'namespace', email_address: 'ada@example.com' },
    ]);
    const folders = await ada.api.ok<{ name: string | null; display_name: string }[]>('/folders');
    expect(folders.map((folder) => [folder.display_name, folder.name])).toEqual(
      expect.arrayContaining([
        ['INBOX', 'inbox'],
        ['Sent', 'sent'],
        ['Drafts', 'drafts'],
        ['Junk', 'spam'],
        ['Trash', 'trash'],
        ['Archive', 'archive'],
        ['Projects/Moon', null],
      ]),
    );
    const tag = (name: string) => ada.api.ok(`${ada.v1}/tags/${name}`);
    expect(await tag('inbox')).toMatchObject({ name: 'inbox', readonly: false, thread_count: 3, unread_count: 1 });
    expect(await tag('unread')).toMatchObject({ thread_count: 1, unread_count: 1 });
    expect(await tag('starred')).toMatchObject({ thread_count: 1, unread_count: 0 });
    expect(await tag('attachment')).toMatchObject({ thread_count: 1 });
  });

  it('has a thread across the inbox and Sent', async () => {
    const [thread] = await ada.api.ok<object[]>(`${ada.v1}/threads?subject=Plan&view=expanded`);
    expect(thread).toMatchObject({
      object: 'thread',
      namespace_id: ada.id,
      subject: 'Plan',
      first_message_timestamp: expect.any(Number),
      unread: false,
      tags: expect.arrayContaining([
        { id: 'inbox', name: 'inbox' },
        { id: 'sent', name: 'sent' },
      ]),
      messages: [
        { subject: 'Plan', from: [{ name: 'Ben', email: 'ben@example.net' }] },
        { subject: 'Re: Plan', to: [{ name: 'Ben', email: 'ben@example.net' }] },
      ],
      drafts: [],
    });
    const { thread_id: id } = await message('Plan');
    const { folders } = await ada.api.ok<{ folders: { name: string }[] }>(`/threads/${id}`);
    expect(folders.map(({ name }) => name).toSorted()).toEqual(['inbox', 'sent']);
  });

  it('is found by what its mail says, once the worker has come to it', async () => {
    const found = () => ada.api.ok<Item[]>('/messages/search?q=%22marz.pdf%22%20invoice');
    const [invoice] = await eventually('the index', async () => ((await found()).length > 0 ? found() : null));
    expect(invoice).toMatchObject({ subject: 'Invoice', thread_id: (await message('Invoice')).thread_id });
  });

  it('is searched by its server, too', async () => {
    const q = encodeURIComponent('shop@example.org "Your"');
    for (const path of ['/messages', `${ada.v1}/messages`]) {
      expect(await ada.api.ok(`${path}/search?source=provider&q=${q}`)).toMatchObject([{ subject: 'Invoice' }]);
    }
    const threads = await ada.api.ok<Item[]>('/threads/search?source=provider&q=plan&limit=1');
    expect(threads.map(({ id }) => id)).toEqual([(await message('Plan')).thread_id]);
    expect(await ada.api.ok('/threads/search?source=provider&q=plan&offset=100')).toEqual([]);
  });

  it('has one message for a copy in two folders', async () => {
    expect(await subjects('/messages?subject=Lunch%3F')).toEqual(['Lunch?']);
    expect(await subjects('/messages?in=archive')).toEqual(['Lunch?']);
    expect(await subjects('/messages?in=inbox')).toEqual(['Lunch?', 'Invoice', 'Plan']);
  });

  it('gives messages as JSON and as they were sent, byte by byte', async () => {
    for (const [, , , sent] of mailbox) {
      const subject = /^Subject: (.*)$/m.exec(sent)![1]!.trim();
      const kind = subject === 'Unsaid' ? 'drafts' : 'messages';
      const { id } = await one(`/${kind}?subject=${encodeURIComponent(subject)}`);
      const raw = await ada.api.get(`${ada.v1}/messages/${id}`, { accept: 'message/rfc822' });
      expect(raw.headers['content-type']).toBe('message/rfc822');
      expect(raw.bytes.toString('latin1')).toBe(Buffer.from(sent).toString('latin1'));
    }
    expect(await message('Moon')).toMatchObject({
      object: 'message',
      account_id: ada.id,
      body: expect.stringContaining('Rockets &amp; &lt;more&gt;'),
      snippet: 'Rockets & <more>',
      date: expect.any(Number),
      unread: false,
      folder: { display_name: 'Projects/Moon' },
    });
    expect((await message('Invoice')).body).toContain('<b>invoice</b>');
  });

  it('gives attachments with their names, byte by byte', async () => {
    const files = await ada.api.ok<(Item & { filename: string })[]>('/files');
    expect(files.map(({ filename }) => filename).toSorted()).toEqual(['Rechnung März.pdf', 'terms.txt']);
    const contents = { 'Rechnung März.pdf': BINARY, 'terms.txt': Buffer.from(PROSE) };
    for (const { id, filename } of files) {
      const content = contents[filename as keyof typeof contents];
      const downloaded = await ada.api.get(`${ada.v1}/files/${id}/download`);
      expect(downloaded.headers['content-disposition']).toContain(encodeURIComponent(filename));
      expect(downloaded.bytes.toString('latin1')).toBe(content.toString('latin1'));
      expect(await ada.api.ok(`/files/${id}`)).toMatchObject({ filename, size: content.length });
    }
    expect((await message('Invoice')).files.map(({ id }) => id).toSorted()).toEqual(
      files.map(({ id }) => id).toSorted(),
    );
  });

  it('has its drafts apart', async () => {
    expect(await ada.api.ok('/drafts')).toMatchObject([
      { object: 'draft', subject: 'Unsaid', to: [{ email: 'eve@example.org' }], reply_to_message_id: null },
    ]);
    expect(await subjects('/messages')).not.toContain('Unsaid');
  });

  it('tells how far the sync is', async () => {
    const status = await ada.api.ok<{ folders: object[] }>('/status');
    expect(status).toMatchObject({ sync_state: 'running' });
    expect(status.folders).toContainEqual(
      expect.objectContaining({ display_name: 'INBOX', total: 3, synced: 3, state: 'running', last_error: null }),
    );
  });

  it.each<[string, readonly string[]]>([
    ['', ['Moon', 'Lunch?', 'Invoice', 'Re: Plan', 'Plan']],
    ['subject=Plan', ['Plan']],
    ['any_email=BEN@example.net', ['Moon', 'Re: Plan', 'Plan']],
    ['from=shop@example.org', ['Invoice']],
    ['to=ben@example.net', ['Re: Plan']],
    ['cc=carl@example.org', ['Plan']],
    ['in=sent', ['Re: Plan']],
    ['in=Projects/Moon', ['Moon']],
    ['tag=inbox', ['Lunch?', 'Invoice', 'Re: Plan', 'Plan']],
    ['filename=terms.txt', ['Invoice']],
    ['unread=true', ['Invoice']],
    ['starred=true', ['Lunch?']],
    ['has_attachment=true', ['Invoice']],
    [`received_before=${noon(2) + 1}`, ['Re: Plan', 'Plan']],
    [`received_after=${noon(3) + 1}`, ['Moon', 'Lunch?']],
    [`started_before=${noon(1) + 1}`, ['Re: Plan', 'Plan']],
    [`started_after=${noon(4) + 1}`, ['Moon']],
    [`last_message_before=${noon(3) - 1}`, ['Re: Plan', 'Plan']],
    [`last_message_after=${noon(4) + 1}`, ['Moon']],
    ['limit=2&offset=1', ['Lunch?', 'Invoice']],
  ])('lists messages by %s', async (query, expected) => {
    expect(await subjects(`/messages?${query}`)).toEqual(expected);
    expect(await ada.api.ok(`/messages?${query}&view=ids`)).toHaveLength(expected.length);
    if (!query.includes('limit'))
      expect(await ada.api.ok(`/messages?${query}&view=count`)).toEqual({ count: expected.length });
  });

  it.each<[string, readonly string[]]>([
    ['', ['Unsaid', 'Moon', 'Lunch?', 'Invoice', 'Plan']],
    ['subject=Moon', ['Moon']],
    ['any_email=carl@example.org', ['Plan']],
    ['from=ada@example.com', ['Unsaid', 'Plan']],
    ['to=ben@example.net', ['Plan']],
    ['cc=carl@example.org', ['Plan']],
    ['tag=unread', ['Invoice']],
    ['in=archive', ['Lunch?']],
    ['filename=Rechnung%20M%C3%A4rz.pdf', ['Invoice']],
    ['unread=false', ['Unsaid', 'Moon', 'Lunch?', 'Plan']],
    ['starred=true', ['Lunch?']],
    ['has_attachment=true', ['Invoice']],
    [`started_before=${noon(3) - 1}`, ['Plan']],
    [`started_after=${noon(4) + 1}`, ['Unsaid', 'Moon']],
    [`last_message_before=${noon(3) - 1}`, ['Plan']],
    [`last_message_after=${noon(4) + 1}`, ['Unsaid', 'Moon']],
    ['limit=1&offset=2', ['Lunch?']],
  ])('lists threads by %s', async (query, expected) => {
    expect(await subjects(`${ada.v1}/threads?${query}`)).toEqual(expected);
    expect(await ada.api.ok(`/threads?${query}&view=ids`)).toHaveLength(expected.length);
    if (!query.includes('limit'))
      expect(await ada.api.ok(`/threads?${query}&view=count`)).toEqual({ count: expected.length });
  });

  it('lists a thread by its id', async () => {
    const { thread_id: id } = await message('Plan');
    expect(await subjects(`/messages?thread_id=${id}`)).toEqual(['Re: Plan', 'Plan']);
    expect(await subjects(`/threads?thread_id=${id}`)).toEqual(['Plan']);
  });

  it('reads new mail in any charset', async () => {
    for (const [charset, bytes] of charsets) {
      const head = letter({
        name: `charset-${charset}`,
        subject: `=?${charset}?B?${bytes.toString('base64')}?=`,
        headers: [`Content-Type: text/plain; charset=${charset}`, 'X-Charset: yes'],
        text: '',
      }).trimEnd();
      await mail.append('INBOX', Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes, Buffer.from('\r\n')]));
    }
    for (const [charset, , text] of charsets) {
      const found = await eventually(charset, async () => {
        const list = await ada.api.ok<(Item & { snippet: string })[]>('/messages?view=expanded&in=inbox');
        return list.find((each) => JSON.stringify(each).includes(`<charset-${charset}@`));
      });
      expect(found).toMatchObject({ subject: text, snippet: text, body: expect.stringContaining(text) });
    }
  });
});
