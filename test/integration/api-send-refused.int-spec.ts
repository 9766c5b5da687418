import type { ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

describe('a send that is refused', () => {
  let env: ApiEnv;
  let account: SeededAccount;
  let api: ApiClient;

  beforeAll(async () => {
    env = await startApiEnv();
    account = await env.seed.account({ folders: { INBOX: 'inbox', Drafts: 'drafts' } });
    api = env.client.as(account.token);
    await env.seed.sql(`UPDATE accounts SET sync_enabled = false, sync_state = 'stopped' WHERE id = $1`, [account.id]);
  });
  afterAll(() => env.stop());

  const post = (path: string, body: unknown) =>
    api.send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const letter = { subject: 'Hello', to: [{ email: 'ben@example.com' }], body: 'Hi' };
  const later = { ...letter, send_at: Math.floor(Date.now() / 1000) + 3600 };

  it.each([
    ['/send', letter],
    ['/send', later],
    ['/outbox', later],
  ])('by a stopped account leaves nothing behind: POST %s', async (path, body) => {
    expect((await post(path, body)).status).toBe(403);
    const left = 'SELECT id FROM messages UNION ALL SELECT id FROM sends UNION ALL SELECT id FROM actions';
    expect(await env.seed.sql(left)).toEqual([]);
  });

  it('for its time is so when that is in the query of a JSON body', async () => {
    const running = await env.seed.account();
    const path = `/send?send_at=${later.send_at}`;
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await env.client
      .as(running.token)
      .send(path, { method: 'POST', headers, body: JSON.stringify(letter) });
    expect([status, json]).toEqual([400, expect.objectContaining({ message: 'send_at belongs into the JSON body' })]);
  });
});
