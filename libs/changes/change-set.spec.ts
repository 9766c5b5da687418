import { ChangeSet } from './change-set.js';

describe('ChangeSet', () => {
  const fold = (...events: ('create' | 'modify' | 'delete')[]) => {
    const set = new ChangeSet();
    for (const event of events) set.record(event, 'thread', 't1');
    return set.toArray().map((change) => change.event);
  };

  it.each([
    [['create', 'modify'], ['create']],
    [['create', 'delete'], []],
    [['modify', 'modify'], ['modify']],
    [['modify', 'delete'], ['delete']],
    [['delete', 'create'], ['modify']],
  ] as const)('folds %j into %j', (events, expected) => {
    expect(fold(...events)).toEqual(expected);
  });

  it('keeps objects apart and in the order of their last touch', () => {
    const set = new ChangeSet();
    set.record('modify', 'thread', 'a');
    set.record('modify', 'message', 'a');
    set.record('modify', 'thread', 'a');
    expect(set.toArray().map((change) => change.objectType)).toEqual(['message', 'thread']);
  });
});
