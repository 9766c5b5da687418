import { type ApiEnv, startApiEnv } from '../support/api-env.js';

describe('folders', () => {
  let env: ApiEnv;
  beforeAll(async () => {
    env = await startApiEnv();
  });
  afterAll(() => env.stop());

  it('are shown as they are now, to whoever was told of a change and asks at once', async () => {
    const account = await env.seed.account();
    const api = env.client.as(account.token);
    const [first] = await api.ok<{ id: string; display_name: string }[]>('/folders');
    await env.seed.sql(`UPDATE categories SET display_name = 'Renamed' WHERE account_id = $1 AND id = $2`, [
      account.id,
      first!.id,
    ]);
    expect(await api.ok(`/folders/${first!.id}`)).toMatchObject({ display_name: 'Renamed' });
  });
});
