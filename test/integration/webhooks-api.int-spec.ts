import { type ApplicationRef, ApplicationsService } from '#libs/domain/applications/applications.service.js';

import type { ApiAnswer } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { WebhookSink } from '../support/webhook-sink.js';

interface Tenant {
  readonly application: ApplicationRef;
  readonly secret: string;
}

describe('webhooks of an application', () => {
  let env: ApiEnv;
  let sink: WebhookSink;
  let mine: Tenant;
  let theirs: Tenant;

  const tenant = async (name: string): Promise<Tenant> => {
    const { application, clientSecret } = await env.api.app.get(ApplicationsService).create(name);
    return { application, secret: clientSecret };
  };
  const ask = (who: Tenant, path: string, method = 'GET', body?: unknown): Promise<ApiAnswer> =>
    env.client.as(who.secret).send(`/a/${who.application.clientId}/webhooks${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const create = async (who: Tenant, more: object = {}) => {
    const answer = await ask(who, '', 'POST', { callback_url: sink.url(), triggers: ['message.created'], ...more });
    return answer.json as { id: string; state: string };
  };

  beforeAll(async () => {
    env = await startApiEnv({ EGRESS_ALLOW_PRIVATE: 'true' });
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    sink = await WebhookSink.start();
    [mine, theirs] = [await tenant('Mine'), await tenant('Theirs')];
  });
  afterEach(() => sink.close());

  it('are created once their address has answered a challenge, and listed as a bare array', async () => {
    const made = await create(mine, { in_order: true, notify_from: 1_700_000_000 });
    expect(made).toEqual({
      object: 'webhook',
      id: expect.stringMatching(/^[0-9a-z]{25}$/),
      application_id: mine.application.clientId,
      callback_url: sink.url(),
      state: 'active',
      triggers: ['message.created'],
      version: '2.0',
      in_order: true,
      full_objects: false,
      include_history: true,
      notify_from: 1_700_000_000,
      failing_since: null,
      created_at: expect.any(Number),
    });
    expect(sink.challenges).toHaveLength(1);
    expect((await ask(mine, '')).json).toEqual([made]);
    expect((await ask(mine, `/${made.id}`)).json).toEqual(made);
  });

  it.each([
    ['another text', () => ({ status: 200, text: 'hello' }), 'was not answered with its text'],
    ['a longer text', (text: string) => ({ status: 200, text: `${text}\n` }), 'was not answered with its text'],
    ['another status', (text: string) => ({ status: 201, text }), 'was answered with status 201'],
    ['a redirect', () => ({ status: 302, text: '' }), 'was answered with status 302'],
  ])('are not created where a challenge is answered with %s', async (_, answer, message) => {
    sink.answerChallenge = answer;
    const refused = await ask(mine, '', 'POST', { callback_url: sink.url(), triggers: ['message.created'] });
    expect(refused).toMatchObject({ status: 400, json: { type: 'invalid_request_error' } });
    expect(refused.text).toContain(message);
    expect((await ask(mine, '')).json).toEqual([]);
  });

  it('are not created where nobody answers', async () => {
    await sink.close();
    const refused = await ask(mine, '', 'POST', { callback_url: sink.url(), triggers: ['message.created'] });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.text).toContain('was not answered within 10 seconds');
  });

  it.each([
    [{ callback_url: 'ftp://example.com/' }, 'must be an http or https address'],
    [{ callback_url: 'https://ada:secret@example.com/' }, 'must not contain a user or password'],
    [{ callback_url: 'https://example.com/#a' }, 'must not have a fragment'],
    [{ callback_url: undefined }, 'must be an http or https address'],
    [{ callback_url: 'http://169.254.169.254/latest/meta-data' }, 'it is not a public address'],
    [{ callback_url: 'http://[fe80::1]/' }, 'it is not a public address'],
    [{ callback_url: 'http://nobody.invalid/' }, 'nobody.invalid has no address'],
    [{ triggers: [] }, '"triggers" must name at least one'],
    [{ triggers: ['message.eaten'] }, 'there is no message.eaten'],
    [{ state: 'failing' }, '"state" must be active or inactive'],
    [{ notify_from: 'today' }, '"notify_from" must be unix seconds'],
  ])('%j is refused', async (wrong, message) => {
    const body = { callback_url: sink.url(), triggers: ['message.created'], ...wrong };
    const refused = await ask(mine, '', 'POST', body);
    expect(refused).toMatchObject({ status: 400, json: { type: 'invalid_request_error' } });
    expect((refused.json as { message: string }).message).toContain(message);
    expect(sink.challenges).toEqual([]);
  });

  it('are switched off, and on again with another challenge', async () => {
    const { id } = await create(mine);
    expect((await ask(mine, `/${id}`, 'PUT', { state: 'inactive' })).json).toMatchObject({ state: 'inactive' });
    sink.answerChallenge = () => ({ status: 500, text: '' });
    expect((await ask(mine, `/${id}`, 'PUT', { state: 'active' })).status).toBe(400);
    expect((await ask(mine, `/${id}`)).json).toMatchObject({ state: 'inactive' });
    sink.answerChallenge = (text) => ({ status: 200, text });
    expect((await ask(mine, `/${id}`, 'PUT', { state: 'active' })).json).toMatchObject({ state: 'active' });
    expect(sink.challenges).toHaveLength(3);
  });

  it('are changed; a failing one stays so, and one that failed is tried again only when somebody says so', async () => {
    const { id } = await create(mine);
    const setState = (state: string) =>
      env.seed.sql('UPDATE webhooks SET state = $2, bad_since = now() WHERE id = $1', [id, state]);
    await setState('failing');
    const changed = await ask(mine, `/${id}`, 'PUT', { triggers: ['account.invalid'], full_objects: true });
    expect(changed.json).toMatchObject({ triggers: ['account.invalid'], full_objects: true, state: 'failing' });
    await setState('failed');
    expect((await ask(mine, `/${id}`, 'PUT', { in_order: true })).json).toMatchObject({ state: 'failed' });
    const awake = await ask(mine, `/${id}`, 'PUT', { state: 'active' });
    expect(awake.json).toMatchObject({ state: 'active', failing_since: null, in_order: true });
    expect(sink.challenges).toHaveLength(2);
  });

  it('are deleted, and nobody else sees them', async () => {
    const { id } = await create(mine);
    expect((await ask(theirs, '')).json).toEqual([]);
    for (const [method, body] of [['GET'], ['PUT', { state: 'inactive' }], ['DELETE']] as const) {
      expect((await ask(theirs, `/${id}`, method, body)).status).toBe(404);
    }
    expect((await ask(mine, `/${id}`, 'DELETE')).json).toEqual({ success: true });
    expect((await ask(mine, `/${id}`)).status).toBe(404);
  });
});

describe('webhooks where private addresses are refused', () => {
  it('are not created for one, by address or by name', async () => {
    const [env, sink] = await Promise.all([startApiEnv(), WebhookSink.start()]);
    try {
      const { application, clientSecret } = await env.api.app.get(ApplicationsService).create('Mine');
      for (const host of ['127.0.0.1', 'localhost', '[::1]', '10.1.2.3', '0x7f.1', '[::ffff:127.0.0.1]']) {
        const callback = sink.url().replace('127.0.0.1', host);
        const answer = await env.client.as(clientSecret).send(`/a/${application.clientId}/webhooks`, {
          method: 'POST',
          body: JSON.stringify({ callback_url: callback, triggers: ['message.created'] }),
        });
        expect({ host, status: answer.status }).toEqual({ host, status: 400 });
        expect(answer.text).toContain('not a public address');
      }
      expect(sink.challenges).toEqual([]);
    } finally {
      await env.stop();
      await sink.close();
    }
  });
});
