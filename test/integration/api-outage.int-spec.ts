import { ApiClient } from '../support/api-client.js';
import { apiConfig } from '../support/api-env.js';
import { Cable } from '../support/cable.js';
import { Seed } from '../support/seed.js';
import { createDatabase, createRedis, type TestDatabase, type TestRedis } from '../support/servers.js';
import { type RunningApi, startApi } from '../../apps/api/bootstrap.js';

describe('without its database', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let seed: Seed;
  let cable: Cable;
  let api: RunningApi;
  let client: ApiClient;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), createRedis()]);
    seed = await Seed.open(database.url);
    const account = await seed.account();
    cable = await Cable.to(database.url);
    api = await startApi(apiConfig({ DATABASE_URL: cable.url, REDIS_URL: redis.url }));
    client = new ApiClient(api.url, account.token);
  });
  afterAll(async () => {
    await api.close();
    cable.remove();
    await seed.close();
    await Promise.all([database.drop(), redis.drop()]);
  });

  it('the API answers 503 and says so, and recovers by itself', async () => {
    expect((await client.get('/threads')).status).toBe(200);
    cable.sever();
    for (const path of ['/threads', '/account', '/messages?view=count']) {
      expect(await client.get(path)).toMatchObject({ status: 503, json: { type: 'database_error' } });
    }
    expect(await client.get('/health/ready')).toMatchObject({
      status: 503,
      json: { type: 'database_error', database: 'unreachable', redis: 'ok' },
    });
    expect((await client.get('/health/live')).status).toBe(200);
    cable.mend();
    expect((await client.get('/threads')).status).toBe(200);
    expect((await client.get('/health/ready')).status).toBe(200);
  });

  it('hides what a broken statement says', async () => {
    await seed.sql('ALTER TABLE files RENAME TO misplaced');
    const answer = await client.get('/files');
    expect(answer).toMatchObject({ status: 500, json: { type: 'api_error' } });
    expect(answer.text).not.toContain('files');
    await seed.sql('ALTER TABLE misplaced RENAME TO files');
  });
});

describe('without Redis', () => {
  it('mail is readable, and readiness says what is missing', async () => {
    const database = await createDatabase();
    const seed = await Seed.open(database.url);
    const account = await seed.account();
    const api = await startApi(apiConfig({ DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1' }));
    const client = new ApiClient(api.url, account.token);
    expect(await client.ok('/threads')).toEqual([]);
    expect(await client.get('/health/ready')).toMatchObject({
      status: 503,
      json: { type: 'api_error', database: 'ok', redis: 'unreachable' },
    });
    await api.close();
    await seed.close();
    await database.drop();
  });
});
