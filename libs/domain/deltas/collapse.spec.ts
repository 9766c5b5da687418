import type { ChangedObject, ChangeEvent } from '#libs/database/thread.entity.js';

import { collapse } from './collapse.js';

const changes = (...entries: [ChangeEvent, ChangedObject, string][]) =>
  entries.map(([event, objectType, objectId], index) => ({ seq: index + 1, event, objectType, objectId }));

const told = (...entries: [ChangeEvent, ChangedObject, string][]) =>
  collapse(changes(...entries)).map(({ seq, event, objectType, objectId }) => [seq, event, objectType, objectId]);

describe('collapse', () => {
  it('tells of each object once, at its last change', () => {
    expect(told(['modify', 'thread', 'a'], ['modify', 'message', 'm'], ['modify', 'thread', 'a'])).toEqual([
      [2, 'modify', 'message', 'm'],
      [3, 'modify', 'thread', 'a'],
    ]);
  });

  it('keeps news news', () => {
    expect(told(['create', 'message', 'm'], ['modify', 'message', 'm'])).toEqual([[2, 'create', 'message', 'm']]);
  });

  it('tells of the end of what it never showed: a list may have', () => {
    expect(told(['create', 'message', 'm'], ['delete', 'message', 'm'])).toEqual([[2, 'delete', 'message', 'm']]);
  });

  it('takes what came back for a change', () => {
    expect(told(['delete', 'thread', 'a'], ['create', 'thread', 'a'])).toEqual([[2, 'modify', 'thread', 'a']]);
  });

  it('tells the end of a draft and the message it became apart, though they share an id', () => {
    expect(told(['delete', 'draft', 'm'], ['create', 'message', 'm'])).toHaveLength(2);
  });

  it('keeps objects of different kinds apart, whatever their ids', () => {
    expect(told(['modify', 'thread', 'a'], ['modify', 'file', 'a'])).toHaveLength(2);
  });
});
