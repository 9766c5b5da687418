import { readMessageUpdate, readThreadUpdate } from './mail-update.js';
import { readDisplayName, readTagName } from './name-body.js';

const id = 'abc';

describe('readMessageUpdate', () => {
  it.each([
    [{ unread: false }, { unread: false }],
    [{ starred: true, unread: null }, { starred: true }],
    [{ folder_id: 'ABC' }, { folderId: id }],
    [{ folder: { id, name: 'inbox' } }, { folderId: id }],
    // What clients send along.
    [{ unread: true, id, object: 'message', label_ids: [], labels: null, account_id: id }, { unread: true }],
  ])('reads %j', (body, expected) => {
    expect(readMessageUpdate(body, 'v2')).toEqual(expected);
    expect(readMessageUpdate(body, 'v1')).toEqual(expected);
  });

  it.each([
    [{}, 'empty request body', 'Can only change the unread attribute of a message'],
    [{ subject: 'x' }, 'Unexpected attribute: subject', 'Can only change the unread attribute of a message'],
    [[], 'Invalid request body', 'Invalid request body'],
    [null, 'Invalid request body', 'Invalid request body'],
    ['x', 'Invalid request body', 'Invalid request body'],
    [{ unread: 'true' }, '"unread" must be true or false', '"unread" must be true or false'],
    [{ starred: 1 }, '"starred" must be true or false', '"starred" must be true or false'],
    [{ folder_id: null }, 'Removing all folders is not allowed.', 'Removing all folders is not allowed.'],
    [{ folder: '' }, 'Removing all folders is not allowed.', 'Removing all folders is not allowed.'],
    [{ folder_id: 'a-b' }, 'Invalid id: "a-b" for folder_id', 'Invalid id: "a-b" for folder_id'],
    [{ folder_id: 7 }, 'Invalid id: 7 for folder_id', 'Invalid id: 7 for folder_id'],
    [{ labels: ['x'] }, 'not labels (labels)', 'not labels (labels)'],
  ])('refuses %j', (body, inV2, inV1) => {
    expect(() => readMessageUpdate(body, 'v2')).toThrow(inV2);
    expect(() => readMessageUpdate(body, 'v1')).toThrow(inV1);
  });
});

describe('readThreadUpdate', () => {
  it('reads tags and fields', () => {
    expect(readThreadUpdate({ add_tags: ['a'], version: '3', unread: false }, 'v1')).toEqual({
      wish: { unread: false },
      tags: { add: ['a'], remove: [], version: 3 },
    });
    const none = { add: [], remove: [], version: undefined };
    expect(readThreadUpdate({ starred: true }, 'v2')).toEqual({ wish: { starred: true }, tags: none });
    expect(readThreadUpdate({}, 'v1')).toEqual({ wish: {}, tags: none });
    expect(readThreadUpdate({ version: '' }, 'v1')).toEqual({ wish: {}, tags: none });
  });

  it.each([
    [{ subject: 'x' }, 'v1', 'Can only add or remove tags from thread.'],
    [{ subject: 'x' }, 'v2', 'Unexpected attribute: subject'],
    [{}, 'v2', 'empty request body'],
    [{ add_tags: 'inbox' }, 'v1', '"add_tags" must be a list of tag ids or names'],
    [{ remove_tags: [1] }, 'v1', '"remove_tags" must be a list of tag ids or names'],
    [{ add_tags: ['a'], version: 'x' }, 'v1', '"version" must be an integer'],
    [{ add_tags: ['a'], version: 1.5 }, 'v1', '"version" must be an integer'],
  ] as const)('refuses %j in %s', (body, dialect, message) => {
    expect(() => readThreadUpdate(body, dialect)).toThrow(message);
  });
});

describe('readDisplayName', () => {
  it('trims it, and spells it one way', () => {
    expect(readDisplayName({ display_name: ' Gro\u0308ße ' })).toBe('Größe');
    expect(readDisplayName({ name: 'Work' })).toBe('Work');
    expect(readDisplayName({ display_name: 'x'.repeat(191) })).toHaveLength(191);
  });

  it.each([{}, { display_name: '' }, { display_name: ' ' }, { display_name: 7 }, { display_name: 'a\r\nb' }])(
    'refuses %j',
    (body) => {
      expect(() => readDisplayName(body)).toThrow('"display_name" must be a valid string');
    },
  );

  it('refuses a long one', () => {
    expect(() => readDisplayName({ display_name: 'x'.repeat(192) })).toThrow('"display_name" is too long');
  });
});

describe('readTagName', () => {
  const read = (body: unknown) => readTagName(body, 'Malformed tag request', id);

  it('trims it; its own namespace may be named', () => {
    expect(read({ name: ' Later ', namespace_id: id, object: 'tag' })).toBe('Later');
  });

  it.each([
    [{}, 'Malformed tag request'],
    [{ name: 7 }, 'Malformed tag request'],
    [{ name: ' ' }, 'Malformed tag request'],
    [{ name: 'a\0b' }, 'Malformed tag request'],
    [{ name: 'x', namespace_id: 'other' }, 'Cannot change the namespace on a tag.'],
    [[], 'Invalid request body'],
  ])('refuses %j', (body, message) => {
    expect(() => read(body)).toThrow(message);
  });
});
