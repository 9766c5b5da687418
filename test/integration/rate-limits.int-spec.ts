import { once } from 'node:events';
import http from 'node:http';

import type { ApiAnswer } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { eventually } from '../support/eventually.js';

describe('limits', () => {
  let env: ApiEnv;
  const start = async (settings: Readonly<Record<string, string>>) => {
    env = await startApiEnv(settings);
    return env;
  };
  afterEach(() => env.stop());

  const many = async (token: string, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => env.client.as(token).get('/account')));
    return {
      ok: answers.filter(({ status }) => status === 200),
      refused: answers.filter(({ status }) => status === 429),
    };
  };

  it('of an account leave others alone, say so, and are over soon', async () => {
    const { seed, client } = await start({ RATE_LIMIT_PER_ACCOUNT: '20', RATE_LIMIT_PER_APPLICATION: '1000' });
    const [busy, quiet] = [await seed.account(), await seed.account()];
    const { ok, refused } = await many(busy.token, 100);
    expect(ok.length).toBeGreaterThanOrEqual(20);
    expect(ok.length + refused.length).toBe(100);
    const [answer] = refused;
    expect(answer).toMatchObject({ json: { type: 'api_error', message: expect.stringContaining('of this account') } });
    expect(header(answer, 'content-type')).toBe('application/json');
    expect(header(answer, 'retry-after')).toBe('1');
    expect(header(answer, 'x-ratelimit-limit')).toBe('20');
    expect(header(answer, 'x-ratelimit-remaining')).toBe('0');
    expect(header(answer, 'x-ratelimit-reset')).toBe('1');
    const other = await client.as(quiet.token).get('/account');
    expect(other.status).toBe(200);
    expect(header(other, 'x-ratelimit-limit')).toBe('20');
    expect(header(other, 'x-ratelimit-remaining')).toBe('19');
    await eventually('the bucket fills', async () => (await client.as(busy.token).get('/account')).status === 200);
  });

  it('of an application hold for its accounts together', async () => {
    const { seed } = await start({ RATE_LIMIT_PER_APPLICATION: '30' });
    const [one, two] = [await seed.account({ application: 'a' }), await seed.account({ application: 'a' })];
    const apart = await seed.account({ application: 'b' });
    const both = await Promise.all([many(one.token, 60), many(two.token, 60)]);
    expect(both.flatMap(({ refused }) => refused).length).toBeGreaterThan(0);
    expect(both.flatMap(({ refused }) => refused)[0]).toMatchObject({
      json: { message: expect.stringContaining('of this application') },
    });
    expect((await many(apart.token, 30)).refused).toEqual([]);
  });

  it('are none by default, and nothing is told of them', async () => {
    const { seed, client } = await start({});
    const { token } = await seed.account();
    expect((await many(token, 100)).refused).toEqual([]);
    expect(header(await client.as(token).get('/account'), 'x-ratelimit-limit')).toBeNull();
  });

  it('of streams count those that are open', async () => {
    const { seed, client, api } = await start({ STREAMS_PER_ACCOUNT: '2' });
    const { token } = await seed.account();
    const { cursor } = (await client.as(token).send('/delta/latest_cursor', { method: 'POST' })).json as {
      cursor: string;
    };
    const open = async () => {
      const request = http.get(`${api.url}/delta/streaming?cursor=${cursor}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.on('error', () => undefined).resume();
      return { status: response.statusCode, close: () => void request.destroy() };
    };
    const streams = [await open(), await open()];
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    expect((await open()).status).toBe(429);
    streams[0]?.close();
    const third = await eventually('a place', async () => {
      const stream = await open();
      return stream.status === 200 ? stream : null;
    });
    for (const stream of [...streams, third]) stream.close();
  });
});

const header = (answer: ApiAnswer | undefined, name: string) => answer?.headers[name] ?? null;
