import type { ImapFlow } from 'imapflow';

import { eventually } from '../support/eventually.js';
import { bounce, letter } from '../support/letters.js';
import { type ConnectedAccount, Product } from '../support/product.js';
import { ScriptedSmtp } from '../support/scripted-smtp.js';
import { letterTo, refusals, unsendable } from '../support/sendable.js';
import { sourcesIn } from '../support/sources-in.js';
import { ok } from '../support/writing-user.js';

interface MessageJson {
  readonly id: string;
  readonly object: string;
  readonly thread_id: string;
  readonly subject: string;
}

describe('sending', () => {
  let product: Product;
  let account: ConnectedAccount;
  let other: ImapFlow;
  let smtp: ScriptedSmtp;

  beforeAll(async () => {
    product = await Product.start();
    smtp = await ScriptedSmtp.start();
    await product.deliver('ada', 'INBOX', [letter({ name: 'question' })]);
    account = await product.connect('ada', { smtp_port: smtp.port });
    other = await product.mailProgram();
    await eventually('all mail', async () => (await account.api.ok<unknown[]>('/messages')).length === 1);
  });
  afterAll(async () => {
    await product?.stop();
    await smtp?.stop();
  });
  beforeEach(() => {
    smtp.script = {};
    // What a server says to those who sign in is said on new connections.
    smtp.hangUp();
    smtp.received.length = 0;
  });

  const call = (method: string, path: string, body: object | string, headers: Record<string, string> = {}) =>
    account.api.send(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const sources = (path: string) => sourcesIn(other, path);
  const settled = () =>
    eventually('rest', async () => {
      const jobs = await account.api.ok<{ action: string; status: string }[]>('/job-statuses');
      return jobs.every(({ action, status }) => action === 'send_message' || status === 'successful');
    });
  /** Sends what the server takes without a word. @returns the job by which one can see what became of it, and the wire */
  const sendIntoTheDark = async (body: object) => {
    smtp.script = { '.': 'hang-up' };
    const answer = await call('POST', '/send', body);
    expect([answer.status, answer.text]).toEqual([504, expect.stringContaining('It may have been sent.')]);
    smtp.script = {};
    const { job_status_id: id, message } = answer.json as { job_status_id: string; message: string };
    const job = () => account.api.ok<{ status: string; message_id: string }>(`/job-statuses/${id}`);
    expect(await job()).toMatchObject({ action: 'send_message', status: 'pending', reason: message });
    const done = () =>
      eventually('its end', async () => {
        const now = await job();
        return now.status === 'successful' ? now : null;
      });
    return { wire: smtp.received.at(-1)!, done };
  };
  const toldOf = async (id: string, cursor: string) => {
    const { deltas } = await account.api.ok<{ deltas: { id: string; event: string; object: string }[] }>(
      `/delta?cursor=${cursor}&include_types=message,draft`,
    );
    return deltas.filter((delta) => delta.id === id).map(({ event, object }) => `${event} ${object}`);
  };
  const inSent = async (marker: string) => (await sources('Sent')).filter((source) => source.includes(marker));

  it('sends a draft: to everybody, without Bcc, and keeps one copy', async () => {
    const [question] = await account.api.ok<MessageJson[]>('/messages');
    const draft = await ok<MessageJson & { version: number }>(
      call('POST', '/drafts', {
        ...letterTo('eve@example.com'),
        subject: 'To all of you',
        bcc: [{ email: 'secret@example.com' }],
        reply_to_message_id: question!.id,
      }),
    );
    const { cursor } = await ok<{ cursor: string }>(call('POST', '/delta/latest_cursor', {}));
    const sent = await ok<MessageJson>(call('POST', '/send', { draft_id: draft.id, version: draft.version }));
    expect(sent).toMatchObject({ id: draft.id, object: 'message', thread_id: question!.thread_id });
    expect(smtp.received).toHaveLength(1);
    expect(smtp.received[0]).toContain('Subject: To all of you');
    expect(smtp.received[0]).not.toContain('secret');
    const again = await call('POST', '/send', { draft_id: draft.id, version: draft.version });
    expect(again.status).toBe(400);
    await settled();
    const [copy, ...others] = await inSent('To all of you');
    expect(others).toEqual([]);
    expect(copy).toContain('Bcc: secret@example.com');
    expect(await sources('Drafts')).toEqual([]);
    expect(await account.api.ok('/drafts')).toEqual([]);
    const told = await toldOf(draft.id, cursor);
    // A page tells the last of what happened to an object: the copy may have come already.
    expect(told).toEqual(['delete draft', expect.stringMatching(/^(create|modify) message$/)]);
    const thread = await account.api.ok<{ message_ids: string[]; draft_ids: string[] }>(`/threads/${sent.thread_id}`);
    expect(thread).toMatchObject({ message_ids: [question!.id, draft.id], draft_ids: [] });
  });

  it('sends a new message and raw MIME, and each joins its thread', async () => {
    const sent = await ok<MessageJson>(call('POST', '/send', { ...letterTo('bob@example.com'), subject: 'New one' }));
    const [wire] = smtp.received;
    const header = /^Message-ID: <(.*)>/im.exec(wire!)![1]!;
    const raw =
      `From: ada@example.com\r\nTo: bob@example.com\r\nbCC: hidden@example.com,\r\n  also-hidden@example.com\r\n` +
      `Subject: Raw one\r\nMessage-ID: <raw@example.com>\r\nReferences: <${header}>\r\n\r\nBcc: this line stays\r\n`;
    const second = await ok<MessageJson>(call('POST', '/send', raw, { 'content-type': 'message/rfc822' }));
    expect(second).toMatchObject({ object: 'message', subject: 'Raw one', thread_id: sent.thread_id });
    expect(smtp.received[1]).toContain('Bcc: this line stays');
    expect(smtp.received[1]).not.toContain('hidden');
    await settled();
    expect(await inSent('New one')).toHaveLength(1);
    expect(await inSent('Raw one')).toHaveLength(1);
    expect((await account.api.ok<unknown[]>('/messages')).length).toBe(4);
  });

  it.each([
    ['CR alone', '\r'],
    ['LF alone', '\n'],
  ])('names no Bcc to others where lines end in %s', async (_what, end) => {
    const raw = [
      'From: ada@example.com',
      'To: a@example.com',
      'Bcc      : hidden@example.com',
      'Subject: Odd',
      '',
      'Hi',
      '',
    ];
    await ok(call('POST', '/send', raw.join(end), { 'content-type': 'message/rfc822' }));
    expect(smtp.received).toHaveLength(1);
    expect(smtp.received[0]).not.toContain('hidden');
    expect(smtp.received[0]).toContain('To: a@example.com\r\n');
  });

  it('sends a draft of another mail program under a Message-ID of ours', async () => {
    const foreign = letter({ name: 'foreign', to: 'eve@example.com' });
    await other.append('Drafts', foreign, ['\\Draft', '\\Seen']);
    const drafts = () => account.api.ok<(MessageJson & { version: number })[]>('/drafts');
    await eventually('the draft', async () => (await drafts()).length > 0);
    const [{ id, version } = { id: '', version: 0 }] = await drafts();
    smtp.script = { 'RCPT eve@example.com': '550 5.1.1 Nobody of that name' };
    expect((await call('POST', '/send', { draft_id: id, version })).status).toBe(402);
    // It is a draft still, the same here and there.
    await settled();
    expect(await sources('Drafts')).toEqual([expect.stringContaining(`Message-ID: <${id}-${version}@`)]);
    expect((await drafts()).map((draft) => [draft.id, draft.version])).toEqual([[id, version]]);
    smtp.script = {};
    smtp.received.length = 0;
    await ok(call('POST', '/send', { draft_id: id, version }));
    expect(smtp.received[0]).toContain(`Message-ID: <${id}-${version}@`);
    await settled();
    expect(await inSent(id)).toHaveLength(1);
    expect([await drafts(), await sources('Drafts')]).toEqual([[], []]);
    const lock = await other.getMailboxLock('Sent');
    await other.messageMove('*', 'Trash');
    lock.release();
    const folder = async () => (await account.api.ok<{ folder: { name: string } }>(`/messages/${id}`)).folder.name;
    await eventually('the same message in the trash', async () => (await folder()) === 'trash');
  });

  it('notes on a sent message whom it did not reach, and believes no report about others', async () => {
    const sent = await ok<MessageJson>(call('POST', '/send', { ...letterTo('bob@example.net'), subject: 'Returned' }));
    expect(sent).not.toHaveProperty('delivery_failures');
    const { cursor } = await ok<{ cursor: string }>(call('POST', '/delta/latest_cursor', {}));
    const header = /^Message-ID: (<.*>)/im.exec(smtp.received[0]!)![1]!;
    await other.append('INBOX', bounce('forged', '<somebody-elses@example.com>'));
    await other.append('INBOX', bounce('genuine', header));
    const failures = async () => {
      const now = await account.api.ok<{ delivery_failures?: { message_id: string }[] }>(`/messages/${sent.id}`);
      return now.delivery_failures;
    };
    const [failure, ...others] = (await eventually('the report', failures)) ?? [];
    const [genuine] = await account.api.ok<MessageJson[]>('/messages?subject=genuine');
    expect([failure, others]).toEqual([
      {
        recipient: 'bob@example.net',
        action: 'failed',
        status: '5.1.1',
        diagnostic: '550 5.1.1 User unknown',
        date: expect.any(Number),
        message_id: genuine!.id,
      },
      [],
    ]);
    expect(await account.api.ok(`${account.v1}/messages/${sent.id}`)).toHaveProperty('delivery_failures', [failure]);
    expect(genuine).not.toHaveProperty('delivery_failures');
    expect(await account.api.ok('/messages?subject=forged&view=count')).toEqual({ count: 1 });
    const { deltas } = await account.api.ok<{ deltas: { id: string; attributes: object }[] }>(
      `/delta?cursor=${cursor}&include_types=message`,
    );
    const told = deltas.find(({ id }) => id === sent.id);
    expect(told?.attributes).toMatchObject({ delivery_failures: [failure] });
    const logged = await product.installation.query<{ message: string }>(
      `SELECT message FROM account_events WHERE kind = 'message.bounced'`,
    );
    expect(logged).toEqual([{ message: 'A message could not be delivered to a recipient.' }]);
  });

  it('says which recipients were refused, and sends to the others', async () => {
    smtp.script = { 'RCPT no@example.com': '550 5.1.1 nobody here' };
    const sent = await ok<{ failures: object }>(call('POST', '/send', letterTo('yes@example.com', 'no@example.com')));
    expect(sent.failures).toEqual({ 'no@example.com': [550, '5.1.1 nobody here'] });
    expect(smtp.received).toHaveLength(1);
  });

  it.each(refusals)(
    'tells when the server refuses %s, and keeps the draft as it was',
    async (_what, script, status, message) => {
      const draft = await ok<MessageJson & { version: number }>(call('POST', '/drafts', letterTo('a@example.com')));
      await settled();
      smtp.script = script;
      const answer = await call('POST', '/send', { draft_id: draft.id, version: 0 });
      expect([answer.status, answer.json]).toEqual([
        status,
        expect.objectContaining({ type: 'api_error', message: expect.stringContaining(message) }),
      ]);
      expect(await account.api.ok(`/drafts/${draft.id}`)).toMatchObject({ version: 0, object: 'draft' });
      smtp.script = {};
      await ok(call('POST', '/send', { draft_id: draft.id, version: 0 }));
    },
  );

  it('never sends again what the server may have taken', async () => {
    smtp.script = { '.': 'hang-up' };
    const answer = await call('POST', '/send', letterTo('a@example.com'), { 'idempotency-key': 'k1' });
    expect([answer.status, answer.text]).toEqual([504, expect.stringContaining('It may have been sent.')]);
    smtp.script = {};
    const again = await call('POST', '/send', letterTo('a@example.com'), { 'idempotency-key': 'k1' });
    expect([again.status, again.text]).toEqual([504, answer.text]);
    expect(smtp.received).toHaveLength(1);
    await other.append('Sent', smtp.received[0]!, ['\\Seen']);
    const told = await eventually('a copy', async () => {
      const repeated = await call('POST', '/send', letterTo('a@example.com'), { 'idempotency-key': 'k1' });
      return repeated.status === 200 && (repeated.json as MessageJson);
    });
    expect(told).toMatchObject({ object: 'message', subject: 'Hello' });
    expect(smtp.received).toHaveLength(1);
  });

  it('learns from the sent mail that a draft was sent, which then is the message', async () => {
    const draft = await ok<MessageJson>(
      call('POST', '/drafts', { ...letterTo('a@example.com'), subject: 'In the dark' }),
    );
    await settled();
    const { cursor } = await ok<{ cursor: string }>(call('POST', '/delta/latest_cursor', {}));
    const { wire, done } = await sendIntoTheDark({ draft_id: draft.id, version: 0 });
    const again = await call('POST', '/send', { draft_id: draft.id, version: 0 });
    expect([again.status, again.text]).toEqual([409, expect.stringContaining('may have been sent already')]);
    await other.append('Sent', wire, ['\\Seen']);
    expect(await done()).toMatchObject({ message_id: draft.id, reason: null });
    expect(await account.api.ok(`/messages/${draft.id}`)).toMatchObject({ object: 'message', subject: 'In the dark' });
    await settled();
    expect([await inSent('In the dark'), await sources('Drafts')]).toEqual([[wire], []]);
    const told = await toldOf(draft.id, cursor);
    expect(told.toSorted()).toEqual(['create message', 'delete draft']);
    expect(smtp.received).toHaveLength(1);
  });

  it('learns from a copy elsewhere that a new message was sent, and saves it among the sent mail', async () => {
    const { wire, done } = await sendIntoTheDark({ ...letterTo('ada@example.com'), subject: 'To myself' });
    await other.append('INBOX', wire);
    const { message_id: id } = await done();
    expect(await account.api.ok(`/messages/${id}`)).toMatchObject({ object: 'message', subject: 'To myself' });
    await settled();
    expect(await inSent('To myself')).toHaveLength(1);
    const both = await account.api.ok<MessageJson[]>('/messages?subject=To%20myself');
    expect(new Set(both.map(({ thread_id }) => thread_id)).size).toBe(1);
    expect(both).toHaveLength(2);
  });

  it('answers a request that is repeated under its key, and refuses another one under it', async () => {
    const send = (to: string) => call('POST', '/send', letterTo(to), { 'idempotency-key': 'k2' });
    const [first, second] = [
      await ok<MessageJson>(send('a@example.com')),
      await ok<MessageJson>(send('a@example.com')),
    ];
    expect(second).toEqual(first);
    expect(smtp.received).toHaveLength(1);
    expect((await send('b@example.com')).status).toBe(409);
  });

  it.each(unsendable)('refuses %j', async (body, status, message) => {
    const answer = await call('POST', '/send', body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(message)]);
    expect(smtp.received).toEqual([]);
  });
});
