import type { ImapFlow } from 'imapflow';

import { eventually } from '../support/eventually.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { ScriptedSmtp } from '../support/scripted-smtp.js';

interface Item {
  readonly id: string;
  readonly object: string;
  readonly version: number;
  readonly thread_id: string;
  readonly bcc: readonly { readonly email: string }[];
}

describe('a provider that files what is sent before it says that it took it', () => {
  let product: Product;
  let account: ConnectedAccount;
  let smtp: ScriptedSmtp;
  let provider: ImapFlow;

  beforeAll(async () => {
    product = await Product.start({
      dovecot: { folders: { Drafts: '\\Drafts', Sent: '\\Sent', Everything: '\\All' } },
    });
    smtp = await ScriptedSmtp.start();
    account = await product.connect('ada', { smtp_port: smtp.port });
    provider = await product.mailProgram();
    await product.installation.query(`UPDATE accounts SET provider = 'gmail' WHERE id = $1`, [account.id]);
  });
  afterAll(async () => {
    await product?.stop();
    await smtp?.stop();
  });

  const post = (path: string, body: object | string) =>
    account.api.send(path, {
      method: 'POST',
      headers: { 'content-type': typeof body === 'string' ? 'message/rfc822' : 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const people = { to: [{ email: 'eve@example.com' }], bcc: [{ email: 'secret@example.com' }] };
  const requests: Record<string, (subject: string) => Promise<object | string>> = {
    draft: async (subject) => {
      const { id, version } = (await post('/drafts', { subject, ...people })).json as Item;
      return { draft_id: id, version };
    },
    new: async (subject) => ({ subject, body: '<p>Hello</p>', ...people }),
    raw: async (subject) =>
      [
        `Message-ID: <${subject}@mail.example>`,
        'From: ada@example.com',
        'To: eve@example.com',
        'Bcc: secret@example.com',
      ]
        .concat(`Subject: ${subject}`, '', 'Hello', '')
        .join('\r\n'),
  };

  it.each([
    ['draft', ['Sent', 'Everything']],
    ['new', ['Sent', 'Everything']],
    ['raw', ['Sent', 'Everything']],
    ['new', ['Everything', 'Sent']],
    ['raw', ['Everything', 'Sent']],
    ['draft', ['Everything', 'Sent']],
  ] as const)('is told of one message: %s, in %j', async (kind, folders) => {
    const subject = `${kind}-${folders[0]}`;
    const request = await requests[kind]!(subject);
    await eventually('rest', async () => {
      const jobs = await account.api.ok<{ action: string; status: string }[]>('/job-statuses');
      return jobs.every(({ action, status }) => action === 'send_message' || status === 'successful');
    });
    const [before] = await product.installation.query<{ seq: string }>(
      'SELECT coalesce(max(seq), 0) AS seq FROM changes',
    );
    smtp.script = { '.': 'hold' };
    smtp.received.length = 0;
    const answer = post('/send', request);
    await eventually('the message at the server', () => smtp.received.length === 1);
    const places = async (path: string) =>
      product.installation.query<{ message_id: string }>(
        `SELECT message_id FROM message_uids place JOIN categories folder ON folder.id = place.folder_id
         JOIN messages message ON message.id = place.message_id WHERE folder.path = $1 AND subject = $2 AND uid > 0`,
        [path, subject],
      );
    for (const path of folders) {
      await provider.append(path, smtp.received[0]!, ['\\Seen']);
      await eventually(`the copy in ${path}`, async () => (await places(path)).length === 1);
    }
    smtp.release('250 2.0.0 taken');
    const sent = (await answer).json as Item;
    expect(sent).toMatchObject({ object: 'message', bcc: [{ email: 'secret@example.com' }] });
    const query = `subject=${subject}&in=Sent`;
    expect((await account.api.ok<Item[]>(`/messages?${query}`)).map(({ id }) => id)).toEqual([sent.id]);
    expect(await account.api.ok(`/threads?${query}&view=count`)).toEqual({ count: 1 });
    const found = await Promise.all(folders.map(places));
    expect(found.flat().map(({ message_id }) => message_id)).toEqual([sent.id, sent.id]);
    const rows = await product.installation.query(`SELECT id FROM messages WHERE subject = $1`, [subject]);
    expect(rows).toEqual([{ id: sent.id }]);
    const told = await product.installation.query<{ event: string; type: string; id: string }>(
      `SELECT event, object_type AS type, object_id AS id FROM changes
       WHERE seq > $1 AND event <> 'modify' AND object_type IN ('message', 'draft', 'thread', 'file') ORDER BY seq`,
      [before!.seq],
    );
    const created = { event: 'create', type: 'message', id: sent.id };
    expect(told).toEqual(
      kind === 'draft'
        ? [{ event: 'delete', type: 'draft', id: sent.id }, created]
        : expect.arrayContaining([created, { event: 'create', type: 'thread', id: sent.thread_id }]),
    );
    expect(told).toHaveLength(2);
  });
});
