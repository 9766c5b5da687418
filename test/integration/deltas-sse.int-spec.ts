import { DeltaEnv } from '../support/delta-env.js';
import type { DeltaStream } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { Seed } from '../support/seed.js';

describe('deltas as Server-Sent Events', () => {
  const on = DeltaEnv.use();
  const { stream, gone, latest } = on;
  const events = (live: DeltaStream) =>
    live.text
      .split('\n\n')
      .map((block) => ({ id: /^id: (.*)$/m.exec(block)?.[1], data: /^data: (.*)$/m.exec(block)?.[1] }))
      .filter(({ data }) => data !== undefined)
      .map(({ id, data }) => ({ id, delta: JSON.parse(data!) as { id: string; cursor: string } }));

  it('begin now, name their cursors and go on after the last one', async () => {
    await gone('past');
    const first = await stream('/delta/sse');
    expect(first.contentType).toBe('text/event-stream');
    await eventually('the opening', () => first.text.includes('\n\n'));
    expect(first.text).toBe(`retry: 1000\nid: ${await latest()}\n\n`);
    await gone('a');
    await eventually('an event', () => events(first).length === 1);
    const [told] = events(first);
    expect(told).toMatchObject({ id: await latest(), delta: { id: 'a', cursor: told!.id } });
    first.close();

    await gone('b');
    const second = await stream('/delta/sse?cursor=0', { 'last-event-id': told!.id! });
    await eventually('an event', () => events(second).length > 0);
    expect(events(second).map(({ delta }) => delta.id)).toEqual(['b']);
    await eventually('a beat', () => second.text.includes(':\n\n'));
  });

  it('begin where the cursor says', async () => {
    await gone('a');
    const live = await stream(`/n/${on.account.id}/delta/sse?cursor=0`);
    await eventually('an event', () => events(live).length === 1);
  });

  it('refuse an id that is no cursor', async () => {
    expect((await on.api.get('/delta/sse', { 'last-event-id': 'nonsense' })).status).toBe(400);
  });

  describe('with the token in the query, as a browser has to send it', () => {
    it.each([
      ['API v2', ''],
      ['API v1', 'namespace'],
    ])('in %s', async (_dialect, prefix) => {
      await gone('a');
      const path = `${prefix && `/n/${on.account.id}`}/delta/sse?cursor=0&access_token=${on.account.token}`;
      const live = await stream(path, { origin: 'https://app.example' }, null);
      expect([live.status, live.header('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
      await eventually('an event', () => events(live).length === 1);
    });

    it('believes the header first', async () => {
      const path = `/delta/sse?cursor=0&access_token=${on.account.token}`;
      expect((await stream(path, {}, 'wrong')).status).toBe(401);
    });

    it.each([
      ['/delta/sse', ''],
      ['/delta/sse', 'wrong'],
      ['/delta/sse', 'twice'],
      ['/delta?cursor=0', 'token'],
      ['/delta/streaming?cursor=0', 'token'],
      ['/threads', 'token'],
    ])('refuses GET %s with the token %s', async (path, given) => {
      const value =
        { token: on.account.token, twice: `${on.account.token}&access_token=${on.account.token}` }[given] ?? given;
      const answer = await on.env.client.get(`${path}${path.includes('?') ? '&' : '?'}access_token=${value}`);
      expect(answer).toMatchObject({ status: 401, json: { type: 'invalid_request_error' } });
    });
  });
});

it('never logs a token of the query', async () => {
  const installation = await Installation.create({ LOG_LEVEL: 'trace' });
  const seed = await Seed.open(installation.env['DATABASE_URL']!);
  try {
    await installation.start('api');
    const account = await seed.account();
    const path = `/delta/sse?timeout=0&cursor=0&access_token=${account.token}`;
    expect((await installation.client.get(path)).status).toBe(200);
    expect((await installation.client.get(`${path}&include_types=nonsense`)).status).toBe(400);
    expect((await installation.client.get(`/delta/sse?access_token=x${account.token}`)).status).toBe(401);
    expect((await installation.client.get(`/nowhere/sse?access_token=${account.token}`)).status).toBe(404);
    await eventually('the log', () => installation.log.includes('/nowhere/sse'));
    expect(installation.log.match(/"path":"\/delta\/sse"/g)).toHaveLength(3);
    expect(installation.log).not.toContain(account.token);
  } finally {
    await seed.close();
    await installation.stop();
  }
});
