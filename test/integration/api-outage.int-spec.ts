import { createDataSource } from '#libs/database/data-source.js';

import { ApiClient } from '../support/api-client.js';
import { apiConfig } from '../support/api-env.js';
import { Cable } from '../support/cable.js';
import { eventually } from '../support/eventually.js';
import { OwnPostgres } from '../support/own-servers.js';
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

describe('with a database that hangs', () => {
  const postgres = new OwnPostgres();
  let seed: Seed;
  let redis: TestRedis;
  let api: RunningApi;
  let client: ApiClient;

  beforeAll(async () => {
    const url = await postgres.start();
    redis = await createRedis();
    const source = await createDataSource({ url, poolSize: 1, applicationName: 'test' }).initialize();
    await source.runMigrations();
    await source.destroy();
    seed = await Seed.open(url);
    const account = await seed.account();
    const settings = { DATABASE_URL: url, REDIS_URL: redis.url, API_QUERY_TIMEOUT_SECONDS: '2' };
    api = await startApi(apiConfig(settings));
    client = new ApiClient(api.url, account.token);
  });
  afterEach(() => postgres.thaw());
  afterAll(async () => {
    await api.close();
    await seed.close();
    await postgres.stop();
    postgres.remove();
    await redis.drop();
  });

  const connections = async () =>
    (await seed.sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'postrider api'`)).map(({ pid }) => pid);

  it('the API answers 503 in time, and goes on with new connections when the database does', async () => {
    const paths = ['/threads', '/account', '/messages?view=count', '/files', '/folders'];
    const all = () => Promise.all(paths.map((path) => client.get(path)));
    const everythingAnswers = () =>
      eventually('answers', async () => (await all()).every(({ status }) => status === 200));
    await everythingAnswers();
    const before = await connections();
    await postgres.freeze();
    const begun = Date.now();
    const [ready, answers] = await Promise.all([client.get('/health/ready'), all()]);
    expect(ready).toMatchObject({ status: 503, json: { database: 'unreachable', redis: 'ok' } });
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, json: { type: 'database_error' } });
    }
    expect(Date.now() - begun).toBeLessThan(15_000);
    // By now no connection is left, and none can be made.
    expect(await client.get('/threads')).toMatchObject({ status: 503, json: { type: 'database_error' } });
    postgres.thaw();
    await everythingAnswers();
    expect((await client.get('/health/ready')).status).toBe(200);
    await eventually('the old connections are gone', async () => {
      const now = await connections();
      return !before.some((pid) => now.includes(pid));
    });
  });

  it('cuts a statement that takes too long, and keeps its connection', async () => {
    await seed.sql('BEGIN');
    await seed.sql('LOCK TABLE files');
    const answer = await client.get('/files');
    await seed.sql('ROLLBACK');
    expect(answer).toMatchObject({ status: 503, json: { type: 'database_error' } });
    expect((await client.get('/files')).status).toBe(200);
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
