import type { Server } from 'node:http';

import type { ApiClient } from '../support/api-client.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import { ChangeMaker } from '../support/change-maker.js';
import { DeltaStream } from '../support/delta-stream.js';
import { eventually } from '../support/eventually.js';
import type { SeededAccount } from '../support/seed.js';

describe('deltas on an open connection', () => {
  let env: ApiEnv;
  let changes: ChangeMaker;
  let account: SeededAccount;
  let api: ApiClient;
  const open: DeltaStream[] = [];

  beforeAll(async () => {
    env = await startApiEnv();
    changes = await ChangeMaker.open(env.config.DATABASE_URL);
  });
  beforeEach(async () => {
    account = await env.seed.account();
    api = env.client.as(account.token);
  });
  afterEach(() => {
    for (const stream of open.splice(0)) stream.close();
  });
  afterAll(async () => {
    await changes.close();
    await env.stop();
  });

  const stream = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const opened = await DeltaStream.open(env.api.url, path, account.token, headers);
    open.push(opened);
    return opened;
  };
  const gone = (id: string) => changes.record(account, [['delete', 'thread', id]]);
  const until = (what: string, holds: () => boolean) => eventually(what, async () => holds());
  const latest = async () =>
    ((await api.send('/delta/latest_cursor', { method: 'POST' })).json as { cursor: string }).cursor;
  const connections = () =>
    new Promise<number>((resolve) => {
      (env.api.app.getHttpServer() as Server).getConnections((_, count) => resolve(count));
    });

  describe('streaming', () => {
    it('tells at once, a line a change, what was and what comes', async () => {
      await gone('before');
      const { deltas } = await api.ok<{ deltas: unknown[] }>('/delta?cursor=0');
      const live = await stream('/delta/streaming?cursor=0');
      expect([live.status, live.contentType]).toEqual([200, 'text/event-stream']);
      await until('the first', () => live.deltas.length === 1);
      expect(live.deltas).toEqual(deltas);
      for (const id of ['a', 'b', 'c']) {
        const beats = live.beats;
        await gone(id);
        await until(id, () => live.deltas.at(-1)!.id === id);
        // Had it waited for a beat there would be a line end more for each.
        expect(live.beats - beats).toBeLessThanOrEqual(1);
      }
    });

    it('beats every second, beginning within the first', async () => {
      const began = Date.now();
      const live = await stream(`/n/${account.id}/delta/streaming?cursor=0`);
      await until('the first beat', () => live.beats === 1);
      expect(Date.now() - began).toBeLessThan(1600);
      await until('three more', () => live.beats === 4);
      const took = Date.now() - began;
      expect(took).toBeGreaterThan(2500);
      expect(took).toBeLessThan(6000);
      expect(live.text).toBe('\n\n\n\n');
    });

    it('shows what is asked for only', async () => {
      const live = await stream('/delta/streaming?cursor=0&exclude_types=thread');
      await gone('hidden');
      await changes.record(account, [['delete', 'message', 'shown']]);
      await until('the message', () => live.deltas.length === 1);
      expect(live.deltas[0]!.id).toBe('shown');
    });

    it("hears nothing of other accounts' changes", async () => {
      const other = await env.seed.account();
      const live = await stream('/delta/streaming?cursor=0');
      await changes.record(other, [['delete', 'thread', 'theirs']]);
      await gone('ours');
      await until('ours', () => live.deltas.length > 0);
      expect(live.deltas.map(({ id }) => id)).toEqual(['ours']);
    });

    it('ends in order after its time, and when the account is removed', async () => {
      const live = await stream('/delta/streaming?cursor=0&timeout=0.2');
      await until('the end', () => live.isOver);
      expect(live.endedWell).toBe(true);
      const doomed = await stream(`/delta/streaming?cursor=${await latest()}`);
      await env.seed.sql('DELETE FROM accounts WHERE id = $1', [account.id]);
      await env.seed.sql(`SELECT pg_notify('account_changes', $1)`, [account.id]);
      await until('the end', () => doomed.isOver);
    });

    it('loses and repeats nothing for a client that keeps being cut off while several writers commit', async () => {
      const total = 400;
      const writers = Array.from({ length: 5 }, async (_, writer) => {
        for (let index = 0; index < total / 5; index += 1) {
          const entries = [['delete', 'thread', `${writer}-${index}`]] as const;
          await changes.record(account, entries, (tx) => tx.query('SELECT pg_sleep(random() * 0.005)'));
        }
      });
      const seen: string[] = [];
      let cursor = '0';
      let connected = 0;
      while (seen.length < total) {
        const live = await stream(`/delta/streaming?cursor=${cursor}`);
        connected += 1;
        const enough = Math.min(17, total - seen.length);
        await until('some more', () => live.deltas.length >= enough);
        live.close();
        const { deltas } = live;
        seen.push(...deltas.map(({ id }) => id));
        cursor = deltas.at(-1)!.cursor;
      }
      await Promise.all(writers);
      const log = await env.seed.sql('SELECT object_id FROM changes WHERE account_id = $1 ORDER BY seq', [account.id]);
      expect(seen).toEqual(log.map((row) => row['object_id']));
      expect(new Set(seen).size).toBe(total);
      expect(connected).toBeGreaterThan(5);
    });

    it('drops a client that stops reading, who goes on later where it was', async () => {
      const body = 'x'.repeat(300_000);
      const ids: string[] = [];
      for (let index = 0; index < 80; index += 1) ids.push((await env.seed.message(account, { body })).id);
      const live = await stream('/delta/streaming?cursor=0');
      live.stopReading();
      await changes.record(
        account,
        ids.map((id) => ['create', 'message', id] as const),
      );
      await eventually('being dropped', async () => (await connections()) === 0, 15_000);
      live.goOnReading();
      await until('the end', () => live.isOver);
      expect(live.endedWell).toBe(false);

      const before = live.deltas;
      expect(before.length).toBeLessThan(ids.length);
      const again = await stream(`/delta/streaming?cursor=${before.at(-1)?.cursor ?? '0'}`);
      await until('the rest', () => before.length + again.deltas.length >= ids.length);
      expect([...before, ...again.deltas].map(({ id }) => id)).toEqual(ids);
    });

    it('waits for a client that reads slowly', async () => {
      const body = 'x'.repeat(300_000);
      const ids: string[] = [];
      for (let index = 0; index < 80; index += 1) ids.push((await env.seed.message(account, { body })).id);
      await changes.record(
        account,
        ids.map((id) => ['create', 'message', id] as const),
      );
      // A client with nothing to read hears every second that the server has been round.
      const clock = await stream(`/delta/streaming?cursor=${await latest()}`);
      const live = await stream('/delta/streaming?cursor=0');
      for (let pauses = 0; pauses < 4; pauses += 1) {
        live.stopReading();
        const { beats } = clock;
        await until('the next round', () => clock.beats > beats);
        const { length } = live.text;
        live.goOnReading();
        await until('a little', () => live.text.length > length);
      }
      await until('everything', () => live.lines.filter((line) => line !== '').length === ids.length);
      expect(live.deltas.map(({ id }) => id)).toEqual(ids);
    });

    it('answers HEAD without staying', async () => {
      const answer = await api.send('/delta/streaming?cursor=0', { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
    });

    it('leaves nothing behind when clients go', async () => {
      const live = await Promise.all(Array.from({ length: 20 }, () => stream('/delta/streaming?cursor=0')));
      await gone('x');
      await until('all of them', () => live.every(({ deltas }) => deltas.length === 1));
      for (const each of live) each.close();
      await eventually('no connection', async () => (await connections()) === 0);
    });
  });

  describe('longpoll', () => {
    it('answers at once when there is something', async () => {
      await gone('a');
      expect(await api.ok('/delta/longpoll?cursor=0')).toEqual(await api.ok('/delta?cursor=0'));
    });

    it('waits for the first change', async () => {
      const cursor = await latest();
      const live = await stream(`/delta/longpoll?cursor=${cursor}&exclude_types=message`);
      expect(live.contentType).toBe('application/json');
      await until('a beat', () => live.beats > 0);
      await changes.record(account, [['delete', 'message', 'hidden']]);
      await gone('a');
      await until('the answer', () => live.isOver);
      expect(live.endedWell).toBe(true);
      expect(JSON.parse(live.text)).toEqual(await api.ok(`/delta?cursor=${cursor}&exclude_types=message`));
    });

    it.each(['0', '1'])('ends with nothing after timeout=%s, the cursor unmoved', async (timeout) => {
      const cursor = await latest();
      const began = Date.now();
      const answer = await api.ok(`/n/${account.id}/delta/longpoll?cursor=${cursor}&timeout=${timeout}`);
      expect(answer).toEqual({ cursor_start: cursor, cursor_end: cursor, deltas: [] });
      expect(Date.now() - began).toBeGreaterThanOrEqual(Number(timeout) * 1000);
    });
  });

  it('reads objects as they are when it tells of them', async () => {
    const { id, threadId } = await env.seed.message(account, { subject: 'First' });
    const live = await stream('/delta/streaming?cursor=0&view=expanded');
    await changes.record(account, [
      ['create', 'message', id],
      ['create', 'thread', threadId],
    ]);
    await until('both', () => live.deltas.length === 2);
    expect(live.deltas[0]!.attributes).toEqual(await api.ok(`/messages/${id}?view=expanded`));
    expect(live.deltas[1]!.attributes).toEqual(await api.ok(`/threads/${threadId}?view=expanded`));
  });
});
