import { newId } from '#libs/common/ids.js';

import { DeltaEnv } from '../support/delta-env.js';
import type { TestDelta } from '../support/delta-stream.js';

interface Page {
  readonly cursor_start: string;
  readonly cursor_end: string;
  readonly deltas: TestDelta[];
}

describe('deltas', () => {
  const on = DeltaEnv.use();
  const { gone, latest } = on;
  /** Prefix of API v1. */
  let v1: string;

  beforeEach(() => {
    v1 = `/n/${on.account.id}`;
  });

  const page = (cursor: string, more = '', prefix = '') => on.api.ok<Page>(`${prefix}/delta?cursor=${cursor}${more}`);
  const told = ({ deltas }: Page) => deltas.map(({ event, object, id }) => `${event} ${object} ${id}`);
  const post = async (path: string, body: string, type = 'application/json') =>
    on.api.send(path, { method: 'POST', headers: { 'content-type': type }, body });
  /** One of each object that mail brings along. */
  const mail = async () => {
    const message = await on.seed.message(on.account, { files: [{}] });
    const draft = await on.seed.message(on.account, { draft: true, folders: ['Drafts'] });
    await on.changes.record(on.account, [
      ['create', 'folder', on.account.folders['INBOX']!],
      ['create', 'message', message.id],
      ['create', 'file', message.fileIds[0]!],
      ['create', 'thread', message.threadId],
      ['create', 'draft', draft.id],
    ]);
    return { message, draft };
  };

  it('tell every change in order, with the object as the API shows it', async () => {
    const { message, draft } = await mail();
    const { deltas, ...ends } = await page('0');
    expect(deltas.map(({ event, object, id }) => [event, object, id])).toEqual([
      ['create', 'folder', on.account.folders['INBOX']],
      ['create', 'message', message.id],
      ['create', 'file', message.fileIds[0]],
      ['create', 'thread', message.threadId],
      ['create', 'draft', draft.id],
    ]);
    for (const { object, id, attributes } of deltas) expect(attributes).toEqual(await on.api.ok(`/${object}s/${id}`));
    expect(ends).toEqual({ cursor_start: '0', cursor_end: deltas.at(-1)!.cursor });
    for (const { cursor } of deltas) expect(cursor).toMatch(/^[0-9a-z]{25}$/);
  });

  it('show folders as tags in API v1, everything in its own spelling', async () => {
    const { message } = await mail();
    await on.changes.record(on.account, [['create', 'folder', on.account.folders['Taxes/2024']!]]);
    const { deltas } = await page('0', '', v1);
    expect(deltas.map(({ object }) => object)).toEqual(['tag', 'message', 'file', 'thread', 'draft', 'tag']);
    expect(deltas[0]).toMatchObject({ id: 'inbox', attributes: { object: 'tag', name: 'inbox' } });
    expect(deltas[5]).toMatchObject({ id: on.account.folders['Taxes/2024'], attributes: { name: 'taxes/2024' } });
    expect(deltas[3]!.attributes).toEqual(await on.api.ok(`${v1}/threads/${message.threadId}`));
    expect(deltas[3]!.attributes).toHaveProperty('tags');
  });

  it('tell labels where the account has them', async () => {
    on.actFor(await on.seed.account({ unit: 'label', folders: { Work: null } }));
    await on.changes.record(on.account, [['create', 'folder', on.account.folders['Work']!]]);
    await on.changes.record(on.account, [['delete', 'folder', 'gone']]);
    expect(told(await page('0'))).toEqual([`create label ${on.account.folders['Work']}`, 'delete label gone']);
  });

  it('show a folder under the name it has now, however recently it was looked up', async () => {
    await on.api.ok('/folders');
    const id = on.account.folders['INBOX']!;
    await on.changes.record(on.account, [['modify', 'folder', id]], (tx) =>
      tx.query(`UPDATE categories SET display_name = 'Renamed' WHERE account_id = $1 AND id = $2`, [on.account.id, id]),
    );
    expect((await page('0')).deltas[0]!.attributes).toMatchObject({ display_name: 'Renamed' });
  });

  it('carry only the id of what is deleted, and nothing of what is gone already', async () => {
    const { message } = await mail();
    await on.changes.record(on.account, [['create', 'message', 'vanished']]);
    await on.changes.record(on.account, [['delete', 'thread', message.threadId]]);
    const { deltas } = await page(await latest().then(() => '0'), '&limit=6');
    expect(deltas.map(({ id }) => id)).not.toContain('vanished');
    expect((await page(deltas.at(-1)!.cursor)).deltas).toEqual([
      { cursor: await latest(), event: 'delete', object: 'thread', id: message.threadId },
    ]);
  });

  it('go on from any cursor without loss or repeat, page by page, to an end that stays', async () => {
    const ids = Array.from({ length: 23 }, () => newId());
    for (const id of ids) await gone(id);
    const seen: string[] = [];
    let cursor = '0';
    for (let pages = 1; ; pages += 1) {
      const next = await page(cursor, '&limit=5');
      expect(next.cursor_start).toBe(cursor);
      if (next.cursor_end === cursor) {
        expect({ pages, deltas: next.deltas }).toEqual({ pages: 6, deltas: [] });
        break;
      }
      seen.push(...next.deltas.map(({ id }) => id));
      cursor = next.cursor_end;
    }
    expect(seen).toEqual(ids);
    expect(cursor).toBe(await latest());
    const middle = (await page('0', '&limit=11')).deltas.at(-1)!.cursor;
    expect((await page(middle)).deltas.map(({ id }) => id)).toEqual(ids.slice(11));
    expect(await page('0', '&limit=0')).toEqual({ cursor_start: '0', cursor_end: '0', deltas: [] });
  });

  it('tell of an object once a page, at its last change', async () => {
    const { message } = await mail();
    const cursor = await latest();
    for (const _ of [1, 2, 3]) await on.changes.record(on.account, [['modify', 'thread', message.threadId]]);
    expect(told(await page(cursor))).toEqual([`modify thread ${message.threadId}`]);
    expect((await page(cursor)).cursor_end).toBe(await latest());
  });

  it('pass over pages in which nothing is left to tell', async () => {
    for (let index = 0; index < 12; index += 1) await on.changes.record(on.account, [['create', 'message', newId()]]);
    await on.changes.record(on.account, [['delete', 'message', 'last']]);
    expect(told(await page('0', '&limit=3'))).toEqual(['delete message last']);
    expect(await page('0', '&include_types=event')).toMatchObject({ cursor_end: '0', deltas: [] });
  });

  describe('are filtered by type', () => {
    const types = async (query: string, prefix = '') =>
      [...new Set((await page('0', query, prefix)).deltas.map(({ object }) => object))].toSorted().join();

    it.each([
      ['', 'draft,file,folder,message,thread'],
      ['&exclude_types=contact,event,file,tag', 'draft,folder,message,thread'],
      ['&exclude_types=Message,%20thread', 'draft,file,folder'],
      ['&include_types=message', 'message'],
      ['&include_types=thread&include_types=draft', 'draft,thread'],
      ['&include_types=account', 'account'],
      ['&exclude_account=false', 'account,draft,file,folder,message,thread'],
      ['&exclude_folders=True', 'draft,file,message,thread'],
      ['&excluded_types=thread', 'draft,file,folder,message'],
      ['&includeTypes=thread', 'thread'],
      ['&excludeTypes=thread,draft', 'file,folder,message'],
      ['&0=thread&1=calendar&2=file', 'draft,folder,message'],
      ['&include_types=&exclude_types=', 'draft,file,folder,message,thread'],
      ['&nobody=knows', 'draft,file,folder,message,thread'],
    ])('%s', async (query, shown) => {
      await mail();
      await on.changes.record(on.account, [['modify', 'account', on.account.id]]);
      expect(await types(query)).toBe(shown);
    });

    it('by what the dialect calls it', async () => {
      await mail();
      expect(await types('&include_types=tag', v1)).toBe('tag');
      expect(await types('&exclude_types=tag', v1)).toBe('draft,file,message,thread');
    });
  });

  it.each(['view=expanded', 'expanded_view=true', 'expanded=true'])('show expanded objects with %s', async (view) => {
    const { message } = await mail();
    const { deltas } = await page('0', `&${view}&include_types=message,thread`);
    expect(deltas[0]!.attributes).toEqual(await on.api.ok(`/messages/${message.id}?view=expanded`));
    expect(deltas[1]!.attributes).toEqual(await on.api.ok(`/threads/${message.threadId}?view=expanded`));
    expect(deltas[1]!.attributes).toHaveProperty('messages');
  });

  describe('cursors', () => {
    it('of the end: latest_cursor, whatever body comes along', async () => {
      const empty = await latest();
      expect(empty).toMatch(/^[0-9a-z]{25}$/);
      await gone('x');
      expect(told(await page(empty))).toEqual(['delete thread x']);
      const answers = await Promise.all([
        post('/delta/latest_cursor', ''),
        post(`${v1}/delta/latest_cursor`, 'content_type=json', 'application/x-www-form-urlencoded'),
        on.api.send('/delta/latest_cursor/', { method: 'POST' }),
      ]);
      const { cursor_end } = await page('0');
      expect(answers.map(({ status, json }) => [status, json])).toEqual(
        answers.map(() => [200, { cursor: cursor_end }]),
      );
    });

    it('of a moment: generate_cursor', async () => {
      for (const id of ['a', 'b', 'c']) await gone(id);
      const at = (seq: number, seconds: number) =>
        on.seed.sql('UPDATE changes SET created_at = to_timestamp($3) WHERE account_id = $1 AND seq = $2', [
          on.account.id,
          seq,
          seconds,
        ]);
      for (const seq of [1, 2, 3]) await at(seq, seq * 1000);
      const since = async (start: number) => {
        const { json } = await post(`${v1}/delta/generate_cursor`, JSON.stringify({ start }));
        const { cursor } = json as { cursor: string };
        return [cursor === '0', ...(await page(cursor, '', v1)).deltas.map(({ id }) => id)];
      };
      expect(await since(1000)).toEqual([true, 'a', 'b', 'c']);
      expect(await since(1001)).toEqual([false, 'b', 'c']);
      expect(await since(2500)).toEqual([false, 'c']);
      expect(await since(4_000_000_000)).toEqual([false]);
    });

    it.each(['{}', '{"start":"now"}', '{"start":1.5}', '{"start":-1}', '{"start":1700000000000}', '[]', '7', 'null'])(
      'generate_cursor refuses %s',
      async (body) => {
        expect(await post('/delta/generate_cursor', body)).toMatchObject({
          status: 400,
          json: { type: 'invalid_request_error', message: expect.stringContaining('{"start": <Unix timestamp>') },
        });
      },
    );

    it('expire when the log is cut, and say so; 0 stays the beginning of what there is', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await gone(id);
      const cursors = (await page('0')).deltas.map(({ cursor }) => cursor);
      await on.seed.sql('DELETE FROM changes WHERE account_id = $1 AND seq <= 2', [on.account.id]);
      const refused = { status: 400, json: { type: 'cursor_expired', message: expect.stringContaining('expired') } };
      for (const path of ['', '/longpoll', '/streaming', '/sse']) {
        expect(await on.api.get(`/delta${path}?cursor=${cursors[0]}`)).toMatchObject(refused);
      }
      expect(told(await page(cursors[1]!))).toEqual(['delete thread c', 'delete thread d']);
      expect(told(await page('0'))).toEqual(['delete thread c', 'delete thread d']);
      await on.seed.sql('DELETE FROM changes WHERE account_id = $1', [on.account.id]);
      expect(await on.api.get(`/delta?cursor=${cursors[2]}`)).toMatchObject(refused);
      expect((await page(cursors[3]!)).deltas).toEqual([]);
    });
  });

  describe('refuse', () => {
    it.each([
      ['', /cursor/],
      ['cursor=', /cursor/],
      ['cursor=nonsense', /invalid cursor/i],
      [`cursor=${'a'.repeat(25)}`, /invalid cursor/i],
      ['cursor=-1', /invalid cursor/i],
      ['cursor=0&include_types=mail', /mail for include_types/],
      ['cursor=0&exclude_types=thread,x', /x for exclude_types/],
      ['cursor=0&include_types=thread&exclude_types=file', /both include_types and exclude_types/],
      ['cursor=0&view=ids', /view/],
      ['cursor=0&limit=x', /limit/i],
      ['cursor=0&limit=1001', /limit/i],
      ['cursor=0&exclude_folders=maybe', /exclude_folders/],
    ])('%s', async (query, message) => {
      for (const path of ['/delta', '/delta/longpoll', '/delta/streaming', `${v1}/delta/sse`]) {
        if (path.includes('s') && query.includes('limit')) continue;
        if (path.endsWith('sse') && /^(cursor=)?$/.test(query)) continue;
        expect(await on.api.get(`${path}?${query}`)).toMatchObject({
          status: 400,
          headers: { 'content-type': 'application/json' },
          json: { type: 'invalid_request_error', message: expect.stringMatching(message) },
        });
      }
    });

    it("another account's cursors, and numbers the log has not reached", async () => {
      const other = await on.seed.account();
      await on.changes.gone(other, 'x');
      const cursor = await on.env.client.as(other.token).latestCursor();
      expect((await on.api.get(`/delta?cursor=${cursor}`)).status).toBe(400);
      await gone('x');
      const own = await latest();
      await on.seed.sql('UPDATE accounts SET change_seq = 0 WHERE id = $1', [on.account.id]);
      expect(await on.api.get(`/delta?cursor=${own}`)).toMatchObject({
        status: 400,
        json: { type: 'invalid_request_error' },
      });
    });

    it.each(['x', '-1', '1e3'])('timeout=%s', async (timeout) => {
      for (const path of ['longpoll', 'streaming', 'sse']) {
        expect(await on.api.get(`/delta/${path}?cursor=0&timeout=${timeout}`)).toMatchObject({
          status: 400,
          json: { message: expect.stringContaining('timeout') },
        });
      }
    });
  });
});
