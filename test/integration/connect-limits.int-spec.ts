import { apiConfig, type ApiEnv, startApiEnv } from '../support/api-env.js';
import { type ApiAnswer, ApiClient } from '../support/api-client.js';
import { type RunningApi, startApi } from '../../apps/api/bootstrap.js';

describe('limits of native authentication', () => {
  let env: ApiEnv;
  let second: RunningApi;

  beforeAll(async () => {
    env = await startApiEnv({
      CONNECT_LIMIT_PER_ADDRESS: '10',
      CONNECT_LIMIT_PER_EMAIL: '3',
      TRUSTED_PROXIES: '1',
      AUTODETECT_ONLINE: 'false',
    });
    const { DATABASE_URL, REDIS_URL, DATA_DIR } = env.config;
    const limits = { CONNECT_LIMIT_PER_ADDRESS: '10', CONNECT_LIMIT_PER_EMAIL: '3', TRUSTED_PROXIES: '1' };
    second = await startApi(apiConfig({ DATABASE_URL, REDIS_URL, DATA_DIR, ...limits, AUTODETECT_ONLINE: 'false' }));
    await env.seed.sql(
      `INSERT INTO applications (id, client_id, client_secret_hash, name) VALUES ('a', 'c', 'x', 'A')`,
    );
  });
  afterAll(async () => {
    await second?.close();
    await env?.stop();
  });

  const token = (from: string, client: ApiClient = env.client) =>
    client.send('/connect/token', { method: 'POST', headers: { 'x-forwarded-for': from } });
  /** Fails at once, after it was counted: no worker runs, and the provider has no such servers. */
  const authorize = (email: string, from: string) =>
    env.client.send('/connect/authorize', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
      body: JSON.stringify({ client_id: 'c', email_address: email, provider: 'pigeon', settings: { password: 'x' } }),
    });
  const refusal = (limit: string) => ({
    status: 429,
    headers: {
      'retry-after': expect.stringMatching(/^[1-9]\d*$/),
      'x-ratelimit-limit': limit,
      'x-ratelimit-reset': expect.stringMatching(/^[1-9]\d*$/),
      'content-type': 'application/json',
    },
    json: { type: 'api_error', message: expect.stringMatching(/^Too many requests .* try again in \d+ seconds\.$/) },
  });
  const statuses = (answers: readonly ApiAnswer[]) => answers.map(({ status }) => status);

  it('count requests by remote address, over all API processes', async () => {
    const clients = [env.client, new ApiClient(second.url)];
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => token('192.0.2.1', clients[n % 2])));
    expect(statuses(answers)).toEqual(Array(10).fill(400));
    for (const client of clients) expect(await token('192.0.2.1', client)).toMatchObject(refusal('10'));
    expect(await token('192.0.2.2')).toMatchObject({ status: 400 });
  });

  it('take a network of IPv6 for one address', async () => {
    const answers = await Promise.all(Array.from({ length: 11 }, (_, n) => token(`2001:db8:0:1::${n + 1}`)));
    expect(statuses(answers).toSorted()).toEqual([...Array<number>(10).fill(400), 429]);
    expect(await token('2001:db8:0:2::1')).toMatchObject({ status: 400 });
  });

  it('count tries by mailbox, however it is spelled and wherever they come from', async () => {
    const answers = [];
    for (const n of [1, 2, 3]) answers.push(await authorize('Ada@Example.com', `198.51.100.${n}`));
    expect(statuses(answers)).toEqual([400, 400, 400]);
    const refused = await authorize('ada@example.com', '198.51.100.4');
    expect(refused).toMatchObject(refusal('3'));
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(500);
    expect(await authorize('bob@example.com', '198.51.100.4')).toMatchObject({ status: 400 });
  });

  it('leave the rest of the API alone', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => env.client.get('/account')));
    expect(new Set(statuses(answers))).toEqual(new Set([401]));
  });
});
