import fs from 'node:fs';
import path from 'node:path';

import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { WritingUser } from '../support/writing-user.js';

const ROUTES = fs.readFileSync(path.resolve(__dirname, '../fixtures/api-routes.txt'), 'utf8');
/** They have a method that writes, and take nothing to the provider. */
const HARMLESS = /\/delta\/(latest|generate)_cursor$|^DELETE .*\/outbox\/:id$/;
const STOPPED =
  "This action can't be performed because the account's sync has been stopped. Please contact support to resume sync.";
const INVALID =
  "This action can't be performed because the account's credentials are out of date. " +
  'Please reauthenticate and try again.';

describe.each([
  ['stopped', false, STOPPED],
  ['invalid', true, INVALID],
])('an account that is %s', (state, enabled, message) => {
  let env: ApiEnv;
  let user: WritingUser;
  let messageId: string;

  beforeAll(async () => {
    env = await startApiEnv();
    user = await WritingUser.of(env);
    ({ id: messageId } = await user.message('INBOX'));
    await user.put(`/messages/${messageId}`, { starred: true });
    await env.seed.sql('UPDATE accounts SET sync_enabled = $2, sync_state = $3 WHERE id = $1', [
      user.account.id,
      enabled,
      state,
    ]);
  });
  afterAll(() => env.stop());

  const routes = ROUTES.split('\n')
    .filter((line) => line.includes(' account token'))
    .map((line) => line.split(/\s+/))
    .map(([method = '', route = '']) => ({ method, route }));
  const asked = ({ method, route }: (typeof routes)[number]) =>
    user.send(method, route.replace(':namespaceId', user.account.id).replace(':id', messageId), { start: 1 });

  it('changes nothing, in either spelling of the API', async () => {
    const before = await env.seed.sql('SELECT id FROM actions UNION ALL SELECT id FROM sends');
    const writes = routes.filter((it) => it.method !== 'GET' && !HARMLESS.test(`${it.method} ${it.route}`));
    expect(writes.length).toBeGreaterThan(30);
    for (const write of writes) {
      const { status, json } = await asked(write);
      expect({ ...write, status, json }).toEqual({
        ...write,
        status: 403,
        json: { type: 'invalid_request_error', message },
      });
    }
    expect(await env.seed.sql('SELECT id FROM actions UNION ALL SELECT id FROM sends')).toEqual(before);
  });

  it('can be read, followed, and kept from sending what it was to send later', async () => {
    for (const url of [`/messages/${messageId}`, '/threads', '/drafts', '/job-statuses', '/account', '/outbox']) {
      expect({ url, status: (await user.api.get(url)).status }).toEqual({ url, status: 200 });
      expect((await user.api.get(`${user.v1}${url === '/account' ? '' : url}`)).status).toBe(200);
    }
    const harmless = routes.filter(({ method, route }) => HARMLESS.test(`${method} ${route}`));
    for (const { status } of await Promise.all(harmless.map(asked))) expect([200, 404]).toContain(status);
  });

  it('changes again once it runs', async () => {
    const running = `UPDATE accounts SET sync_enabled = true, sync_state = 'sync_error' WHERE id = $1`;
    await env.seed.sql(running, [user.account.id]);
    expect((await user.put(`/messages/${messageId}`, { starred: false })).status).toBe(200);
  });
});
