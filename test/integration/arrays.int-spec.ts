import { arrayLiteral } from '#libs/database/array-literal.js';
import { jsonArray, textArray } from '#libs/database/text-array.js';

import { MailStore } from '../support/mail-store.js';

describe('array parameters', () => {
  let store: MailStore;
  beforeAll(async () => {
    store = await MailStore.create();
  });
  afterAll(() => store.stop());

  const awkward = [
    '',
    'plain',
    'a,b',
    '"quoted"',
    'back\\slash',
    '{braces}',
    'NULL',
    'zażółć 日本 😀',
    'two\nlines\t',
    null,
  ];

  const echo = async <T>(type: string, value: unknown): Promise<T> => {
    const rows = await store.writer.write(store.accountId, (tx) =>
      tx.query<{ it: T }>(`SELECT $1::${type}[] AS it`, [value]),
    );
    return rows[0]!.it;
  };

  it('arrive as they were sent', async () => {
    expect(await echo('text', awkward)).toEqual(awkward);
    expect(await echo('text', textArray(awkward))).toEqual(awkward);
    expect(await echo('text', textArray([]))).toEqual([]);
    expect(await echo('text', [])).toEqual([]);
    expect(await echo('int', [1, -2, null])).toEqual([1, -2, null]);
    expect(await echo('bool', [true, false])).toEqual([true, false]);
    const date = new Date('2024-02-29T12:34:56.789Z');
    expect(await echo('timestamptz', [date])).toEqual([date]);
    expect(await echo('json', jsonArray(['{"a":"\\"ü"}', '[]', null]))).toEqual([{ a: '"ü' }, [], null]);
  });

  it('hold arrays as literals, which unnest() does not flatten', async () => {
    const rows = await store.writer.write(store.accountId, (tx) =>
      tx.query<{ list: (string | null)[] }>('SELECT list::text[] FROM unnest($1::text[]) AS row(list)', [
        textArray([arrayLiteral(awkward), arrayLiteral([])]),
      ]),
    );
    expect(rows.map((row) => row.list)).toEqual([awkward, []]);
  });
});
