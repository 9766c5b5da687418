import { type RunningApi, startApi } from '../../apps/api/bootstrap.js';
import { apiConfig } from '../support/api-env.js';
import { Cable } from '../support/cable.js';
import { ChangeMaker } from '../support/change-maker.js';
import { DeltaStream } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import { Seed, type SeededAccount } from '../support/seed.js';
import { createDatabase, createRedis, type TestDatabase, type TestRedis } from '../support/servers.js';

describe('a stream of deltas', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let seed: Seed;
  let changes: ChangeMaker;
  let cable: Cable;
  let api: RunningApi;
  let account: SeededAccount;

  beforeAll(async () => {
    [database, redis] = await Promise.all([createDatabase(), createRedis()]);
    seed = await Seed.open(database.url);
    changes = await ChangeMaker.open(database.url);
    cable = await Cable.to(database.url);
  });
  beforeEach(async () => {
    account = await seed.account();
    api = await startApi(apiConfig({ DATABASE_URL: cable.url, REDIS_URL: redis.url }));
  });
  afterEach(() => api.close());
  afterAll(async () => {
    cable.remove();
    await changes.close();
    await seed.close();
    await Promise.all([database.drop(), redis.drop()]);
  });

  const stream = (cursor: string) => DeltaStream.open(api.url, `/delta/streaming?cursor=${cursor}`, account.token);
  const gone = (id: string) => changes.gone(account, id);

  it('catches up after the database was away, and keeps beating meanwhile', async () => {
    const live = await stream('0');
    await gone('before');
    await eventually('before', () => live.deltas.length === 1);
    cable.sever();
    for (let index = 0; index < 3; index += 1) await gone(`missed-${index}`);
    const { beats } = live;
    await eventually('beats', () => live.beats >= beats + 2);
    cable.mend();
    await eventually('what was missed', () => live.deltas.length === 4);
    await gone('after');
    await eventually('after', () => live.deltas.length === 5);
    expect(live.deltas.map(({ id }) => id)).toEqual(['before', 'missed-0', 'missed-1', 'missed-2', 'after']);
    live.close();
  });

  it('ends in order when the API stops, and goes on in the next process', async () => {
    const live = await stream('0');
    await gone('a');
    await eventually('a', () => live.deltas.length === 1);
    await api.close();
    await eventually('the end', () => live.isOver);
    expect(live.endedWell).toBe(true);
    await gone('b');
    api = await startApi(apiConfig({ DATABASE_URL: cable.url, REDIS_URL: redis.url }));
    const next = await stream(live.deltas[0]!.cursor);
    await eventually('b', () => next.deltas.length === 1);
    expect(next.deltas[0]!.id).toBe('b');
    next.close();
  });
});
