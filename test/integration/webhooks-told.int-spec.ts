import { createHmac } from 'node:crypto';

import { WebhookEnv } from '../support/webhook-env.js';

const hex = (secret: string, data: string | Buffer) => createHmac('sha256', secret).update(data).digest('hex');

describe('what webhooks are told', () => {
  let env: WebhookEnv;

  beforeAll(async () => {
    env = await WebhookEnv.start('worker');
  });
  afterAll(() => env.stop());
  afterEach(async () => {
    env.sink.received.length = 0;
    await env.seed.sql('DELETE FROM webhooks');
  });

  it('is thin, signed with the client secret, and stamped', async () => {
    const account = await env.account();
    await env.webhook();
    const { id, threadId } = await env.message(account, { at: 1_717_171_717 });
    const [told] = await env.sink.waitFor(1);
    const now = Date.now() / 1000;
    expect(JSON.parse(told!.raw.toString())).toEqual({
      deltas: [
        {
          date: expect.any(Number),
          object: 'message',
          type: 'message.created',
          object_data: {
            namespace_id: account.id,
            account_id: account.id,
            object: 'message',
            id,
            attributes: { received_date: 1_717_171_717, thread_id: threadId },
            metadata: null,
          },
        },
      ],
    });
    expect(told!.headers['content-type']).toBe('application/json');
    expect(told!.headers['x-nylas-signature']).toBe(hex(env.clientSecret, told!.raw));
    const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(told!.headers['x-postrider-signature']))!;
    expect(Math.abs(Number(seconds) - now)).toBeLessThan(60);
    expect(signature).toBe(hex(env.clientSecret, `${seconds}.${told!.raw.toString()}`));
    expect(told!.id).toMatch(/^[0-9a-z]{25}$/);
    expect(told!.headers['x-postrider-attempt']).toBe('1');
  });

  it('is the message itself where it says so', async () => {
    const account = await env.account();
    await env.webhook('/hook', { full_objects: true });
    const { id } = await env.message(account, { subject: 'All of it', body: '<p>Whole</p>' });
    await env.changes.record(account, [['create', 'message', 'gone']]);
    const told = await env.sink.waitFor(2);
    const of = (wanted: string) => told.find(({ data }) => data.id === wanted)?.data.attributes;
    const shown = await env.installation.client.as(account.token).ok(`/messages/${id}`);
    expect(of(id)).toEqual(shown);
    expect(of(id)).toMatchObject({ subject: 'All of it', body: '<p>Whole</p>' });
    expect(of('gone')).toBeNull();
  });

  it('is signed with both secrets while one is being changed', async () => {
    const account = await env.account();
    await env.webhook();
    const former = env.clientSecret;
    const rotated = await env.installation.client
      .as(former)
      .send(`/a/${env.clientId}/rotate-secret`, { method: 'POST' });
    const { client_secret: fresh } = rotated.json as { client_secret: string };
    await env.message(account);
    const [told] = await env.sink.waitFor(1);
    const header = String(told!.headers['x-postrider-signature']);
    const seconds = /^t=(\d+)/.exec(header)![1]!;
    const stamped = (secret: string) => `v1=${hex(secret, `${seconds}.${told!.raw.toString()}`)}`;
    expect(header.split(',').slice(1)).toEqual([stamped(fresh), stamped(former)]);
    expect(told!.headers['x-nylas-signature']).toBe(hex(fresh, told!.raw));
  });

  it('is what it asked for: of its own accounts, from now on, and nothing of what is read late where it says so', async () => {
    const [mine, theirs] = [await env.account(), await env.seed.account({ application: 'another' })];
    await env.message(mine);
    await env.webhook('/all', { triggers: ['message.created', 'message.updated', 'account.invalid'] });
    await env.webhook('/news', { include_history: false });
    await env.webhook('/since', { notify_from: 1_750_000_000 });
    await env.webhook('/off', { state: 'inactive' });
    await env.message(theirs);
    const old = await env.message(mine, { at: 1_600_000_000 });
    const linked = await env.message(mine, { at: 1_700_000_001 });
    const recent = await env.message(mine, { at: 1_750_000_000 });
    await env.changes.record(mine, [
      ['modify', 'message', recent.id],
      ['delete', 'message', old.id],
      ['create', 'thread', recent.threadId],
    ]);
    await env.note(mine, 'account.invalid');
    const all = await env.sink.waitFor(5, '/all');
    expect(all.map(({ type, data }) => `${type} ${data.id}`).toSorted()).toEqual(
      [
        `message.created ${old.id}`,
        `message.created ${linked.id}`,
        `message.created ${recent.id}`,
        `message.updated ${recent.id}`,
        `account.invalid ${mine.id}`,
      ].toSorted(),
    );
    const ids = async (count: number, path: string) =>
      (await env.sink.waitFor(count, path)).map(({ data }) => data.id).toSorted();
    expect(await ids(2, '/news')).toEqual([linked.id, recent.id].toSorted());
    expect(await ids(1, '/since')).toEqual([recent.id]);
    expect(env.sink.of('/off')).toEqual([]);
  });

  it('is also what becomes of accounts, answers and bounces', async () => {
    const account = await env.account();
    const triggers = [
      'account.connected',
      'account.stopped',
      'account.sync_error',
      'message.bounced',
      'thread.replied',
    ];
    await env.webhook('/hook', { triggers });
    const sent = await env.message(account, { sent: true, folders: ['Sent'], messageIdHeader: 'asked@example.com' });
    const { threadId } = sent;
    const answer = await env.message(account, { threadId, inReplyTo: 'asked@example.com', at: 1_750_000_000 });
    await env.message(account, { threadId, inReplyTo: 'other@example.com', at: 1_750_000_001 });
    for (const kind of ['account.reconnected', 'account.deleted', 'account.sync_error', 'folder.reset']) {
      await env.note(account, kind);
    }
    await env.note(account, 'message.bounced', { messageId: sent.id, bounceId: 'report' });
    const told = await env.sink.waitFor(5);
    const one = (type: string) => told.find((each) => each.type === type)?.data;
    for (const type of ['account.connected', 'account.stopped', 'account.sync_error']) {
      expect(one(type)).toMatchObject({ object: 'account', id: account.id, account_id: account.id, attributes: null });
    }
    expect(one('thread.replied')).toMatchObject({
      object: 'message',
      id: answer.id,
      metadata: { message_id: answer.id, reply_to_message_id: sent.id, thread_id: threadId, from_self: false },
    });
    expect(one('message.bounced')).toMatchObject({
      object: 'message',
      id: sent.id,
      metadata: { message_id: sent.id, bounce_message_id: 'report' },
    });
    expect(told).toHaveLength(5);
  });

  it('is all of what changed while no worker ran, once, and no reader of deltas sees its marks', async () => {
    const account = await env.account();
    await env.webhook('/hook', { triggers: ['message.created', 'account.running'] });
    await env.installation.kill('worker');
    const ids = await env.messages(account, 1200);
    await env.note(account, 'account.running');
    await env.installation.start('worker');
    const told = await env.sink.waitFor(1201);
    expect(
      told
        .filter(({ type }) => type === 'message.created')
        .map(({ data }) => data.id)
        .toSorted(),
    ).toEqual(ids);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1201);
    const log = await env.installation.client.as(account.token).ok<{ deltas: unknown[] }>('/delta?cursor=0&limit=1000');
    expect(JSON.stringify(log)).not.toContain('notice');
  });
});

describe('the log of a webhook', () => {
  let env: WebhookEnv;

  beforeAll(async () => {
    env = await WebhookEnv.start('worker');
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    await env.seed.sql('DELETE FROM webhooks');
    env.sink.received.length = 0;
  });

  interface Delivery {
    readonly id: string;
    readonly object_id: string;
    readonly state: string;
    readonly attempts: readonly object[];
    readonly request: { readonly url: string; readonly body: string };
  }
  const list = async (webhook: string, query = '') =>
    (await env.ask(`/${webhook}/deliveries${query}`)).json as Delivery[];

  it('shows what was sent, what was answered, and when', async () => {
    const [account, other] = [await env.account(), await env.account()];
    const webhook = await env.webhook();
    const ids = await env.messages(account, 3);
    await env.messages(other, 1);
    await env.settled(webhook, 4, 'delivered');
    const all = await list(webhook, `?account_id=${account.id}`);
    expect(all.map(({ object_id: id }) => id).toSorted()).toEqual(ids);
    const [told] = env.sink.received.filter(({ id }) => id === all[0]!.id);
    expect(all[0]).toEqual({
      object: 'webhook_delivery',
      id: told!.id,
      webhook_id: webhook,
      account_id: account.id,
      trigger: 'message.created',
      object_id: told!.data.id,
      state: 'delivered',
      created_at: expect.any(Number),
      next_attempt_at: null,
      attempts: [{ date: expect.any(Number), status: 200, error: null, duration_ms: expect.any(Number) }],
      request: { method: 'POST', url: env.sink.url(), body: told!.raw.toString() },
    });
    expect((await env.ask(`/${webhook}/deliveries/${told!.id}`)).json).toEqual(all[0]);
    expect(await list(webhook, '?state=failed')).toEqual([]);
    expect(await list(webhook, '?limit=1&offset=1')).toHaveLength(1);
    expect((await env.ask(`/${webhook}/deliveries?state=lost`)).status).toBe(400);
    expect((await env.ask(`/${webhook}/deliveries/0`)).status).toBe(404);
    expect((await env.ask('/0/deliveries')).status).toBe(404);
  });

  it('is replayed: one, what happened in a time, or all that failed, under the same ids', async () => {
    const account = await env.account();
    const webhook = await env.webhook();
    const replay = async (body: object) => (await env.ask(`/${webhook}/replay`, 'POST', body)).json;
    await env.messages(account, 4);
    const rows = await env.settled(webhook, 4, 'delivered');
    const one = rows[2]!.id;
    expect((await env.ask(`/${webhook}/deliveries/${one}/replay`, 'POST')).json).toMatchObject({ id: one });
    await env.sink.waitFor(5);
    expect(env.sink.received.at(-1)).toMatchObject({ id: one });
    await env.settled(webhook, 4, 'delivered');

    await env.seed.sql(`UPDATE webhook_deliveries SET occurred_at = to_timestamp(1700000000) WHERE id = $1`, [one]);
    expect(await replay({ from: 1_700_000_000, to: 1_700_000_001 })).toEqual({ replayed: 1 });
    expect(await replay({ from: 1_600_000_000, to: 1_700_000_000 })).toEqual({ replayed: 0 });
    await env.sink.waitFor(6);
    await env.settled(webhook, 4, 'delivered');
    await env.seed.sql(`UPDATE webhook_deliveries SET state = 'failed' WHERE id <> $1`, [one]);
    expect(await replay({ state: 'failed' })).toEqual({ replayed: 3 });
    await env.sink.waitFor(9);
    await env.settled(webhook, 4, 'delivered');
    const again = env.sink.received.slice(6).map(({ id }) => id);
    expect(again.toSorted()).toEqual(
      rows
        .map(({ id }) => id)
        .filter((id) => id !== one)
        .toSorted(),
    );
    expect((await env.ask(`/${webhook}/replay`, 'POST', {})).status).toBe(400);
    await env.ask(`/${webhook}`, 'PUT', { state: 'inactive' });
    expect((await env.ask(`/${webhook}/replay`, 'POST', { state: 'failed' })).status).toBe(400);
  });
});
