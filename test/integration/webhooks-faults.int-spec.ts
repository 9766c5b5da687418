import { WebhookEnv } from '../support/webhook-env.js';

describe('webhooks in trouble', () => {
  let env: WebhookEnv;

  beforeAll(async () => {
    env = await WebhookEnv.start('worker');
  });
  afterAll(() => env.stop());
  afterEach(async () => {
    env.sink.received.length = 0;
    env.sink.behaviours.clear();
    await env.seed.sql('DELETE FROM webhooks');
  });

  const told = (path = '/hook') => env.sink.of(path).map(({ data }) => data.id);

  it.each([
    ['500', 500, { status: 500, error: null }],
    ['a redirect, which is not followed', 302, { status: 302, error: null }],
    ['a reset', 'reset', { status: null, error: expect.stringMatching(/UND_ERR_SOCKET|ECONNRESET/) }],
  ] as const)('try again under the same id after %s', async (_, behaviour, noted) => {
    const account = await env.account();
    env.sink.behaviours.set('/hook', behaviour);
    const webhook = await env.webhook();
    await env.messages(account, 3);
    await env.sink.waitFor(3);
    const waiting = await env.settledAfter(webhook, 1);
    expect(waiting).toHaveLength(3);
    for (const { state, history, due_in: dueIn } of waiting) {
      expect({ state, history }).toEqual({ state: 'pending', history: [expect.objectContaining(noted)] });
      expect(dueIn).toBeGreaterThan(15);
      expect(dueIn).toBeLessThan(35);
    }
    env.sink.behaviours.clear();
    await env.hurry();
    await env.settled(webhook, 3, 'delivered');
    expect(env.sink.of('/elsewhere')).toEqual([]);
    const [first, second] = [env.sink.of('/hook').slice(0, 3), env.sink.of('/hook').slice(3)];
    expect(second.map(({ id }) => id).toSorted()).toEqual(first.map(({ id }) => id).toSorted());
    expect(second.map(({ raw }) => raw.toString()).toSorted()).toEqual(
      first.map(({ raw }) => raw.toString()).toSorted(),
    );
    expect(second[0]!.headers['x-postrider-attempt']).toBe('2');
  });

  it('give up after five attempts', async () => {
    const account = await env.account();
    env.sink.behaviours.set('/hook', 503);
    const webhook = await env.webhook();
    await env.messages(account, 1);
    for (let attempt = 1; attempt < 5; attempt++) {
      await env.settledAfter(webhook, attempt);
      await env.hurry();
    }
    const [given] = await env.settled(webhook, 1, 'failed');
    expect(given).toMatchObject({ attempts: 5 });
    expect(given!.history).toHaveLength(5);
  });

  it('are tried again when nobody listens', async () => {
    const account = await env.account();
    const webhook = await env.webhook();
    await env.sink.close();
    await env.messages(account, 2);
    const rows = await env.settledAfter(webhook, 1);
    expect(rows[0]!.history).toEqual([expect.objectContaining({ status: null, error: 'ECONNREFUSED' })]);
    await env.sink.open();
    await env.hurry();
    await env.settled(webhook, 2, 'delivered');
    expect(told()).toHaveLength(2);
  });

  it('are not told by way of an address that has become a refused one', async () => {
    const account = await env.account();
    const webhook = await env.webhook();
    await env.seed.sql(`UPDATE webhooks SET callback_url = 'http://169.254.169.254/latest'`);
    await env.messages(account, 1);
    const [row] = await env.settledAfter(webhook, 1);
    expect(row!.history).toEqual([expect.objectContaining({ status: null, error: 'ADDRESS_REFUSED' })]);
  });

  it('that hang hold up nobody else, and are given ten seconds', async () => {
    const account = await env.account();
    env.sink.behaviours.set('/hangs', 'hang');
    const hanging = await env.webhook('/hangs');
    const well = await env.webhook('/well');
    const began = Date.now();
    await env.messages(account, 300);
    await env.settled(well, 300, 'delivered');
    expect(Date.now() - began).toBeLessThan(9000);
    const before = await env.deliveries(hanging);
    expect(before.every(({ attempts }) => attempts === 0)).toBe(true);
    const [first] = await env.settledAfter(hanging, 1, 1);
    expect(first!.history).toEqual([expect.objectContaining({ status: null, error: 'TIMEOUT' })]);
    expect(first!.history[0]!.ms).toBeGreaterThanOrEqual(9900);
  });

  it('lose nothing when a worker dies in the middle, and repeat only what was on its way', async () => {
    const account = await env.account();
    const webhook = await env.webhook();
    const written = env.messages(account, 3000, 100);
    await env.sink.waitFor(500);
    await env.installation.kill('worker');
    const ids = await written;
    await env.installation.start('worker');
    const rows = await env.settled(webhook, 3000, 'delivered');
    expect([...new Set(told())].toSorted()).toEqual(ids);
    // Its requests under way, and what was answered since it last wrote that down.
    expect(told().length - 3000).toBeLessThan(300);
    expect(new Set(env.sink.of('/hook').map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
  });

  it('that mind the order get each account in order, whatever fails', async () => {
    const [ada, ben] = [await env.account(), await env.account()];
    const webhook = await env.webhook('/hook', { in_order: true });
    const ids = await env.messages(ada, 60);
    await env.settled(webhook, 60, 'delivered');
    expect(told()).toEqual(ids);
    env.sink.received.length = 0;
    env.sink.behaviours.set('/hook', 500);
    await env.messages(ada, 5);
    await env.settledAfter(webhook, 1, 1, 'pending');
    env.sink.behaviours.clear();
    await env.messages(ben, 5);
    await env.settled(webhook, 70, 'delivered', 'pending');
    await env.sink.waitFor(6);
    const accounts = env.sink.of('/hook').map(({ data }) => data.account_id);
    expect(accounts).toEqual([ada.id, ...Array.from({ length: 5 }, () => ben.id)]);
    await env.hurry();
    await env.settled(webhook, 70, 'delivered');
    const ofAda = env.sink.of('/hook').filter(({ data }) => data.account_id === ada.id);
    expect(ofAda.map(({ data }) => data.id)).toEqual([ids[0], ...ids.slice(0, 5)]);
  });

  it('are failing after a quarter of an hour, have failed after three days, and are active when it works again', async () => {
    const account = await env.account();
    env.sink.behaviours.set('/hook', 500);
    const webhook = await env.webhook();
    const state = () => env.ask(`/${webhook}`).then(({ json }) => (json as { state: string }).state);
    const age = (interval: string) =>
      env.seed.sql(`UPDATE webhooks SET bad_since = bad_since - interval '${interval}' WHERE id = $1`, [webhook]);
    await env.messages(account, 20);
    await env.settledAfter(webhook, 1);
    await env.until(
      'a bad time',
      async () => (await env.seed.sql('SELECT FROM webhooks WHERE bad_since IS NOT NULL'))[0],
    );
    expect(await state()).toBe('active');
    await age('15 minutes');
    await env.until('failing', async () => (await state()) === 'failing');
    await age('3 days');
    await env.until('failed', async () => (await state()) === 'failed');
    await env.settled(webhook, 20, 'failed');
    await env.messages(account, 1);
    await env.settled(webhook, 21, 'failed');
    expect(told()).toHaveLength(20);
    env.sink.behaviours.clear();
    expect((await env.ask(`/${webhook}`, 'PUT', { state: 'active' })).json).toMatchObject({ state: 'active' });
    await env.messages(account, 1);
    await env.sink.waitFor(21);
    await env.seed.sql(`UPDATE webhooks SET state = 'failing', bad_since = now() - interval '1 hour'`);
    await env.until('active again', async () => (await state()) === 'active');
  });
});
