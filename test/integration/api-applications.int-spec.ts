import { sha256 } from '#libs/common/hash.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { AccountsService } from '#libs/domain/accounts/accounts.service.js';
import { ApplicationsService, type ApplicationRef } from '#libs/domain/applications/applications.service.js';

import type { ApiAnswer } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

interface Tenant {
  readonly application: ApplicationRef;
  readonly secret: string;
  readonly account: SeededAccount;
}

describe('applications', () => {
  let env: ApiEnv;
  let mine: Tenant;
  let theirs: Tenant;

  const tenant = async (name: string): Promise<Tenant> => {
    const { application, clientSecret } = await env.api.app.get(ApplicationsService).create(name);
    const account = await env.seed.account({ application: application.id });
    return { application, secret: clientSecret, account };
  };
  const ask = (who: Tenant, path: string, method = 'GET', body?: unknown, secret = who.secret): Promise<ApiAnswer> =>
    env.client.as(secret).send(`/a/${who.application.clientId}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  const stored = async (who: Tenant) =>
    (await env.seed.sql('SELECT * FROM accounts WHERE id = $1', [who.account.id]))[0]!;

  beforeAll(async () => {
    env = await startApiEnv({ OUTGOING_ADDRESSES: '192.0.2.7, 2001:db8::7' });
  });
  afterAll(() => env.stop());
  beforeEach(async () => {
    [mine, theirs] = [await tenant('Mine'), await tenant('Theirs')];
  });

  describe('their secret', () => {
    it('opens what is below their client id, as Bearer and as the user of Basic', async () => {
      const path = `/a/${mine.application.clientId}`;
      const basic = `Basic ${Buffer.from(`${mine.secret}:`).toString('base64')}`;
      expect((await env.client.get(path, { authorization: basic })).status).toBe(200);
      expect((await ask(mine, '')).json).toMatchObject({
        object: 'application',
        client_id: mine.application.clientId,
        application_name: 'Mine',
        redirect_uris: [],
        icon_url: null,
        api_version: '2.5',
      });
    });

    it.each(['', '/accounts', '/ip_addresses'])('nothing else opens /a/<client id>%s', async (path) => {
      const { clientId } = mine.application;
      const attempts = [undefined, theirs.secret, mine.account.token, clientId, sha256(mine.secret), 'x'];
      for (const attempt of attempts) {
        expect(await env.client.as(attempt).get(`/a/${clientId}${path}`)).toMatchObject({
          status: 401,
          json: { message: 'Unknown client_id or wrong client_secret' },
        });
      }
      for (const nobody of ['nobody', '%00']) {
        expect((await env.client.as(mine.secret).get(`/a/${nobody}${path}`)).status).toBe(401);
      }
    });

    it('can be changed: the old one is taken until its time is over, and neither can be read in the database', async () => {
      const answer = await ask(mine, '/rotate-secret', 'POST', { grace_seconds: 3600 });
      const { client_secret: fresh } = answer.json as { client_secret: string };
      expect(fresh).toMatch(/^[0-9a-z]{25}$/);
      const view = (await ask(mine, '', 'GET', undefined, fresh)).json as { former_secret_until: number };
      expect(view.former_secret_until).toBeGreaterThan(Date.now() / 1000 + 3500);
      expect((await ask(mine, '')).status).toBe(200);
      await env.seed.sql('UPDATE applications SET former_secret_until = now() WHERE id = $1', [mine.application.id]);
      expect((await ask(mine, '')).status).toBe(401);
      expect((await ask(mine, '', 'GET', undefined, fresh)).status).toBe(200);
      const rows = JSON.stringify(await env.seed.sql('SELECT * FROM applications'));
      for (const secret of [mine.secret, fresh, theirs.secret]) expect(rows).not.toContain(secret);
    });

    it('is set as a whole, or stays: what is sealed is what is hashed', async () => {
      const { clientId, name } = mine.application;
      const service = env.api.app.get(ApplicationsService);
      const seal = jest.spyOn(env.api.app.get(SecretBox), 'seal').mockImplementationOnce(() => {
        throw new Error('no key');
      });
      await expect(service.upsert(clientId, 'another', name)).rejects.toThrow('no key');
      seal.mockRestore();
      expect((await ask(mine, '')).status).toBe(200);
      expect(await service.verify(clientId, 'another')).toBeNull();
    });

    it('is changed without a body, too', async () => {
      const { json } = await ask(mine, '/rotate-secret', 'POST');
      expect(json).toMatchObject({ client_id: mine.application.clientId });
    });
  });

  describe('their settings', () => {
    const settings = {
      application_name: 'Mail for all',
      icon_url: 'https://cdn.example/icon.png',
      primary_color: '#0A7CFF',
      redirect_uris: ['https://app.example/callback', 'com.example.app:/done'],
      api_version: '2.3',
      google_client_id: 'google-id',
      google_client_secret: 'google-secret',
    };

    it('are changed one by one', async () => {
      const { google_client_secret: _, ...shown } = settings;
      expect(await ask(mine, '', 'PUT', settings)).toMatchObject({ status: 200, json: shown });
      const again = await ask(mine, '', 'PUT', { icon_url: null, google_client_id: null, google_client_secret: null });
      expect(again.json).toMatchObject({ ...shown, icon_url: null, google_client_id: null });
      expect((await ask(theirs, '')).json).toMatchObject({ application_name: 'Theirs', redirect_uris: [] });
    });

    it('keep what they are registered with at providers sealed', async () => {
      await ask(mine, '', 'PUT', settings);
      const service = env.api.app.get(ApplicationsService);
      expect(service.oauthClient(await service.get(mine.application.id), 'google')).toEqual({
        clientId: 'google-id',
        clientSecret: 'google-secret',
      });
      expect(JSON.stringify(await env.seed.sql('SELECT * FROM applications'))).not.toContain('google-secret');
      expect((await ask(mine, '')).text).not.toContain('google-secret');
    });

    it.each([
      [{ application_name: '' }, '"application_name" must not be empty'],
      [{ application_name: 'a\nb' }, '"application_name" must not contain control characters'],
      [{ icon_url: 'javascript:alert(1)' }, '"icon_url" must be an http or https address'],
      [{ primary_color: 'red' }, '"primary_color" must be spelled #rrggbb'],
      [{ redirect_uris: 'https://x.example' }, 'redirect_uris'],
      [{ redirect_uris: ['/relative'] }, '"redirect_uris": /relative is no absolute address without a fragment'],
      [{ redirect_uris: ['https://x.example/#a'] }, 'is no absolute address without a fragment'],
      [{ redirect_uris: ['javascript:alert(1)'] }, 'is no absolute address without a fragment'],
      [{ api_version: '9' }, '"api_version" must be one of'],
      [{ google_client_id: 'only' }, '"google_client_id" and "google_client_secret" belong together'],
    ])('%j is refused', async (body, message) => {
      const answer = await ask(mine, '', 'PUT', body);
      expect(answer).toMatchObject({ status: 400, json: { type: 'invalid_request_error' } });
      expect((answer.json as { message: string }).message).toContain(message);
      expect((await ask(mine, '')).json).toMatchObject({ application_name: 'Mine' });
    });
  });

  it('are told where this installation connects from', async () => {
    expect((await ask(mine, '/ip_addresses')).json).toMatchObject({
      ip_addresses: ['192.0.2.7', '2001:db8::7'],
      updated_at: expect.any(Number),
    });
  });

  describe('their accounts', () => {
    it('are listed and shown', async () => {
      const { id } = mine.account;
      const view = {
        id,
        object: 'account',
        account_id: id,
        namespace_id: id,
        email: mine.account.email,
        billing_state: 'paid',
        sync_state: 'running',
        trial: false,
        metadata: {},
      };
      expect((await ask(mine, '/accounts')).json).toMatchObject([view]);
      expect((await ask(mine, '/accounts?offset=1')).json).toEqual([]);
      expect((await ask(mine, `/accounts/${id}`)).json).toMatchObject(view);
      await env.seed.sql(`UPDATE accounts SET sync_state = 'invalid' WHERE id = $1`, [id]);
      expect((await ask(mine, `/accounts/${id}`)).json).toMatchObject({ sync_state: 'invalid-credentials' });
    });

    it('carry metadata', async () => {
      const path = `/accounts/${mine.account.id}`;
      const metadata = { plan: 'gold', seats: 3 };
      expect((await ask(mine, path, 'PUT', { metadata })).json).toMatchObject({ metadata });
      expect((await ask(mine, path)).json).toMatchObject({ metadata });
      expect((await ask(mine, path, 'PUT', { metadata: 'x' })).json).toMatchObject({
        message: '"metadata" must be an object',
      });
      const large = { metadata: { text: 'x'.repeat(20_001) } };
      expect((await ask(mine, path, 'PUT', large)).status).toBe(400);
      const nested = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown;
      for (const value of ['a\u0000b', 'a\ud800b', { 'a\u0000b': 1 }, nested]) {
        expect(await ask(mine, path, 'PUT', { metadata: { value } })).toMatchObject({
          status: 400,
          json: { message: expect.stringContaining('"metadata"') },
        });
      }
    });

    it('are downgraded and upgraded; reads go on, writes are refused meanwhile', async () => {
      const path = `/accounts/${mine.account.id}`;
      expect((await ask(mine, `${path}/downgrade`, 'POST')).json).toEqual({ success: true });
      expect((await ask(mine, path)).json).toMatchObject({ billing_state: 'cancelled', sync_state: 'stopped' });
      const client = env.client.as(mine.account.token);
      expect((await client.get('/threads')).status).toBe(200);
      const write = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
      expect((await client.send('/drafts', write)).status).toBe(403);
      expect((await ask(mine, `${path}/upgrade`, 'POST')).json).toEqual({ success: true });
      expect((await ask(mine, path)).json).toMatchObject({ billing_state: 'paid', sync_state: 'initializing' });
      expect((await client.send('/drafts', write)).status).toBe(200);
    });

    it('are deleted, and come back with their ids', async () => {
      const path = `/accounts/${mine.account.id}`;
      const { id: messageId } = await env.seed.message(mine.account, { subject: 'Kept' });
      expect((await ask(mine, path, 'DELETE')).json).toEqual({ success: true });
      expect((await ask(mine, '/accounts')).json).toEqual([]);
      expect((await ask(mine, path)).json).toMatchObject({
        billing_state: 'deleted',
        sync_state: 'stopped',
        deleted_at: expect.any(Number),
      });
      expect(await stored(mine)).toMatchObject({ sync_enabled: false });
      expect((await env.client.as(mine.account.token).get('/threads')).status).toBe(401);
      // A token that was made in the same moment opens nothing either.
      const late = await env.seed.token(mine.account.id);
      expect((await env.client.as(late).get('/threads')).status).toBe(401);
      // A second time changes nothing, and stopping brings nothing back.
      const { deleted_at: deletedAt } = await stored(mine);
      await ask(mine, path, 'DELETE');
      await ask(mine, `${path}/downgrade`, 'POST');
      expect(await stored(mine)).toMatchObject({ deleted_at: deletedAt, billing_state: 'deleted' });

      await ask(mine, `${path}/upgrade`, 'POST');
      expect((await ask(mine, path)).json).toMatchObject({ billing_state: 'paid', deleted_at: null });
      const token = await env.seed.token(mine.account.id);
      expect((await env.client.as(token).get(`/messages/${messageId}`)).status).toBe(200);
    });

    it('deleted too long ago do not come back', async () => {
      const path = `/accounts/${mine.account.id}`;
      await ask(mine, path, 'DELETE');
      await env.seed.sql(`UPDATE accounts SET deleted_at = now() - interval '31 days' WHERE id = $1`, [
        mine.account.id,
      ]);
      expect(await ask(mine, `${path}/upgrade`, 'POST')).toMatchObject({
        status: 404,
        json: { message: `Couldn't find account ${mine.account.id}` },
      });
      expect(await stored(mine)).toMatchObject({ billing_state: 'deleted', sync_enabled: false });
    });

    it('that are just being removed do not come back when they are connected: there is another then', async () => {
      const accounts = env.api.app.get(AccountsService);
      const { id, email } = mine.account;
      const found = await accounts.byEmail(mine.application.id, email);
      await env.seed.sql('UPDATE accounts SET email_key = id WHERE id = $1', [id]);
      const look = jest.spyOn(accounts, 'byEmail').mockResolvedValueOnce(found);
      const connected = await accounts.connect({ ...found!, settings: {}, email, secret: {} });
      look.mockRestore();
      expect(connected.id).not.toBe(id);
    });

    it('tell about their tokens, and lose them', async () => {
      const path = `/accounts/${mine.account.id}`;
      const [first, second] = [mine.account.token, await env.seed.token(mine.account.id)];
      const tokens = (await ask(mine, `${path}/tokens`)).json as { id: string; state: string }[];
      expect(tokens).toMatchObject([{ state: 'valid' }, { state: 'valid' }]);
      expect(JSON.stringify(tokens)).not.toContain(first);
      const info = (token: string) => ask(mine, `${path}/token-info`, 'POST', { access_token: token });
      expect((await info(second)).json).toMatchObject({ state: 'valid', scopes: '' });
      expect((await info('unknown')).status).toBe(404);

      expect((await ask(mine, `${path}/revoke-all`, 'POST', { keep_access_token: second })).status).toBe(200);
      expect((await info(first)).json).toMatchObject({ state: 'revoked' });
      expect((await info(second)).json).toMatchObject({ state: 'valid' });
      const left = tokens[0]!.id;
      expect((await ask(mine, `${path}/tokens/${left}`, 'DELETE')).status).toBe(200);
      const { json: revoked } = await info(second);
      expect(revoked).toMatchObject({ state: 'revoked' });
      expect((await ask(mine, `${path}/tokens/${left}`, 'DELETE')).status).toBe(200);
      expect((await info(second)).json).toEqual(revoked);
      const [other] = (await ask(theirs, `/accounts/${theirs.account.id}/tokens`)).json as { id: string }[];
      expect(await ask(mine, `${path}/tokens/${other!.id}`, 'DELETE')).toMatchObject({
        status: 404,
        json: { message: `Couldn't find token ${other!.id}` },
      });
      await ask(mine, `${path}/revoke-all`, 'POST');
    });

    it('are told when a token was used last, and what it is good for', async () => {
      const path = `/accounts/${mine.account.id}`;
      const token = await env.seed.token(mine.account.id, ['email.read_only', 'email.send']);
      const client = env.client.as(token);
      expect((await client.get('/messages')).status).toBe(200);
      const draft = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
      expect(await client.send('/drafts', draft)).toMatchObject({
        status: 403,
        json: { message: expect.stringContaining('it needs one of email, email.modify, email.drafts') },
      });
      const info = await ask(mine, `${path}/token-info`, 'POST', { access_token: token });
      expect(info.json).toMatchObject({ scopes: 'email.read_only,email.send' });
      const [newest, older] = (await ask(mine, `${path}/tokens`)).json as { last_used_at: number | null }[];
      expect(newest).toMatchObject({ last_used_at: expect.any(Number), scopes: ['email.read_only', 'email.send'] });
      expect(older).toMatchObject({ last_used_at: null, scopes: [] });
      // Files are what came with mail, too.
      const sender = await env.seed.token(mine.account.id, ['email.send']);
      expect((await env.client.as(sender).get('/files')).status).toBe(403);
    });

    it.each([
      ['GET', '', undefined],
      ['PUT', '', { metadata: { stolen: true } }],
      ['DELETE', '', undefined],
      ['POST', '/upgrade', undefined],
      ['POST', '/downgrade', undefined],
      ['POST', '/cancel', undefined],
      ['GET', '/tokens', undefined],
      ['DELETE', '/tokens/x', undefined],
      ['POST', '/revoke-all', {}],
      ['POST', '/token-info', { access_token: 'x' }],
    ])('of others do not exist: %s /a/<client id>/accounts/<theirs>%s', async (method, rest, body) => {
      const before = await stored(theirs);
      expect(await ask(mine, `/accounts/${theirs.account.id}${rest}`, method, body)).toMatchObject({
        status: 404,
        json: { message: `Couldn't find account ${theirs.account.id}` },
      });
      expect(await stored(theirs)).toEqual(before);
      expect((await env.client.as(theirs.account.token).get('/threads')).status).toBe(200);
    });
  });
});
