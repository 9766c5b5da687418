import type { Server } from 'node:http';

import { DeltaEnv } from '../support/delta-env.js';
import { eventually } from '../support/eventually.js';

describe('deltas on an open connection', () => {
  const on = DeltaEnv.use();
  const { stream, gone, latest } = on;
  const connections = () =>
    new Promise<number>((resolve) => {
      (on.env.api.app.getHttpServer() as Server).getConnections((_, count) => resolve(count));
    });

  describe('streaming', () => {
    it('tells at once, a line a change, what was and what comes', async () => {
      await gone('before');
      const { deltas } = await on.api.ok<{ deltas: unknown[] }>('/delta?cursor=0');
      const live = await stream('/delta/streaming?cursor=0');
      expect([live.status, live.contentType]).toEqual([200, 'text/event-stream']);
      await eventually('the first', () => live.deltas.length === 1);
      expect(live.deltas).toEqual(deltas);
      const beatsMeanwhile: number[] = [];
      for (const id of ['a', 'b', 'c']) {
        const { beats } = live;
        await gone(id);
        await eventually(id, () => live.deltas.at(-1)!.id === id);
        beatsMeanwhile.push(live.beats - beats);
      }
      // Had it waited for a beat there would be a line end for each.
      expect(beatsMeanwhile).toContain(0);
    });

    it('tells what a notice says without reading the log, unless something came before it', async () => {
      await gone('before');
      const head = Number(
        (await on.seed.sql('SELECT change_seq FROM accounts WHERE id = $1', [on.account.id]))[0]!['change_seq'],
      );
      const live = await stream('/delta/streaming?cursor=0');
      await eventually('the first', () => live.deltas.length === 1);
      const notify = (base: number, id: string) =>
        on.seed.sql(`SELECT pg_notify('account_changes', $1)`, [`${on.account.id} ${base} delete:thread:${id}`]);
      await notify(head + 1, 'skips-one');
      await notify(head - 1, 'was-told');
      await notify(head, 'only-noticed');
      await eventually('the notice', () => live.deltas.length > 1);
      expect(live.deltas.map(({ id }) => id)).toEqual(['before', 'only-noticed']);
    });

    it('beats every second, beginning within the first', async () => {
      const began = Date.now();
      const live = await stream(`/n/${on.account.id}/delta/streaming?cursor=0`);
      await eventually('the first beat', () => live.beats === 1);
      expect(Date.now() - began).toBeLessThan(3000);
      await eventually('three more', () => live.beats === 4);
      const took = Date.now() - began;
      expect(took).toBeGreaterThan(2500);
      expect(took).toBeLessThan(12_000);
      expect(live.text).toBe('\n\n\n\n');
    });

    it('shows what is asked for only', async () => {
      const live = await stream('/delta/streaming?cursor=0&exclude_types=thread');
      await gone('hidden');
      await on.changes.record(on.account, [['delete', 'message', 'shown']]);
      await eventually('the message', () => live.deltas.length === 1);
      expect(live.deltas[0]!.id).toBe('shown');
    });

    it("hears nothing of other accounts' changes", async () => {
      const other = await on.seed.account();
      const live = await stream('/delta/streaming?cursor=0');
      await on.changes.record(other, [['delete', 'thread', 'theirs']]);
      await gone('ours');
      await eventually('ours', () => live.deltas.length > 0);
      expect(live.deltas.map(({ id }) => id)).toEqual(['ours']);
    });

    it('ends in order after its time, and when the account is removed', async () => {
      const live = await stream('/delta/streaming?cursor=0&timeout=0.2');
      await eventually('the end', () => live.isOver);
      expect(live.endedWell).toBe(true);
      const doomed = await stream(`/delta/streaming?cursor=${await latest()}`);
      await on.seed.sql('DELETE FROM accounts WHERE id = $1', [on.account.id]);
      await on.seed.sql(`SELECT pg_notify('account_changes', $1)`, [on.account.id]);
      await eventually('the end', () => doomed.isOver);
    });

    it('loses and repeats nothing for a client that keeps being cut off while several writers commit', async () => {
      const total = 400;
      const writers = Array.from({ length: 5 }, async (_, writer) => {
        for (let index = 0; index < total / 5; index += 1) {
          const entries = [['delete', 'thread', `${writer}-${index}`]] as const;
          await on.changes.record(on.account, entries, (tx) => tx.query('SELECT pg_sleep(random() * 0.005)'));
        }
      });
      const seen: string[] = [];
      let cursor = '0';
      let connected = 0;
      while (seen.length < total) {
        const live = await stream(`/delta/streaming?cursor=${cursor}`);
        connected += 1;
        const enough = Math.min(17, total - seen.length);
        await eventually('some more', () => live.deltas.length >= enough);
        live.close();
        const { deltas } = live;
        seen.push(...deltas.map(({ id }) => id));
        cursor = deltas.at(-1)!.cursor;
      }
      await Promise.all(writers);
      const log = await on.seed.sql('SELECT object_id FROM changes WHERE account_id = $1 ORDER BY seq', [
        on.account.id,
      ]);
      expect(seen).toEqual(log.map((row) => row['object_id']));
      expect(new Set(seen).size).toBe(total);
      expect(connected).toBeGreaterThan(5);
    });

    it('drops a client that stops reading, who goes on later where it was', async () => {
      const body = 'x'.repeat(300_000);
      const ids: string[] = [];
      for (let index = 0; index < 80; index += 1) ids.push((await on.seed.message(on.account, { body })).id);
      const live = await stream('/delta/streaming?cursor=0');
      live.stopReading();
      await on.changes.record(
        on.account,
        ids.map((id) => ['create', 'message', id] as const),
      );
      await eventually('being dropped', async () => (await connections()) === 0);
      live.goOnReading();
      await eventually('the end', () => live.isOver);
      expect(live.endedWell).toBe(false);

      const before = live.deltas;
      expect(before.length).toBeLessThan(ids.length);
      const again = await stream(`/delta/streaming?cursor=${before.at(-1)?.cursor ?? '0'}`);
      await eventually('the rest', () => before.length + again.deltas.length >= ids.length);
      expect([...before, ...again.deltas].map(({ id }) => id)).toEqual(ids);
    });

    it('waits for a client that reads slowly', async () => {
      const body = 'x'.repeat(300_000);
      const ids: string[] = [];
      for (let index = 0; index < 80; index += 1) ids.push((await on.seed.message(on.account, { body })).id);
      await on.changes.record(
        on.account,
        ids.map((id) => ['create', 'message', id] as const),
      );
      // A client with nothing to read hears every second that the server has been round.
      const clock = await stream(`/delta/streaming?cursor=${await latest()}`);
      const live = await stream('/delta/streaming?cursor=0');
      for (let pauses = 0; pauses < 4; pauses += 1) {
        live.stopReading();
        const { beats } = clock;
        await eventually('the next round', () => clock.beats > beats);
        const { length } = live.text;
        live.goOnReading();
        await eventually('a little', () => live.text.length > length);
      }
      await eventually('everything', () => live.lines.filter((line) => line !== '').length === ids.length);
      expect(live.deltas.map(({ id }) => id)).toEqual(ids);
    });

    it('answers HEAD without staying', async () => {
      const answer = await on.api.send('/delta/streaming?cursor=0', { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
    });

    it('leaves nothing behind when clients go', async () => {
      const live = await Promise.all(Array.from({ length: 20 }, () => stream('/delta/streaming?cursor=0')));
      await gone('x');
      await eventually('all of them', () => live.every(({ deltas }) => deltas.length === 1));
      for (const each of live) each.close();
      await eventually('no connection', async () => (await connections()) === 0);
    });
  });

  describe('longpoll', () => {
    it('answers at once when there is something', async () => {
      await gone('a');
      expect(await on.api.ok('/delta/longpoll?cursor=0')).toEqual(await on.api.ok('/delta?cursor=0'));
    });

    it('waits for the first change', async () => {
      const cursor = await latest();
      const live = await stream(`/delta/longpoll?cursor=${cursor}&exclude_types=message`);
      expect(live.contentType).toBe('application/json');
      await eventually('a beat', () => live.beats > 0);
      await on.changes.record(on.account, [['delete', 'message', 'hidden']]);
      await gone('a');
      await eventually('the answer', () => live.isOver);
      expect(live.endedWell).toBe(true);
      expect(JSON.parse(live.text)).toEqual(await on.api.ok(`/delta?cursor=${cursor}&exclude_types=message`));
    });

    it.each(['0', '1'])('ends with nothing after timeout=%s, the cursor unmoved', async (timeout) => {
      const cursor = await latest();
      const began = Date.now();
      const answer = await on.api.ok(`/n/${on.account.id}/delta/longpoll?cursor=${cursor}&timeout=${timeout}`);
      expect(answer).toEqual({ cursor_start: cursor, cursor_end: cursor, deltas: [] });
      expect(Date.now() - began).toBeGreaterThanOrEqual(Number(timeout) * 1000);
    });
  });

  it('reads objects as they are when it tells of them', async () => {
    const { id, threadId } = await on.seed.message(on.account, { subject: 'First' });
    const live = await stream('/delta/streaming?cursor=0&view=expanded');
    await on.changes.record(on.account, [
      ['create', 'message', id],
      ['create', 'thread', threadId],
    ]);
    await eventually('both', () => live.deltas.length === 2);
    expect(live.deltas[0]!.attributes).toEqual(await on.api.ok(`/messages/${id}?view=expanded`));
    expect(live.deltas[1]!.attributes).toEqual(await on.api.ok(`/threads/${threadId}?view=expanded`));
  });
});
