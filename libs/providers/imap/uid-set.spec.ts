import { uidSet, uidSets } from './uid-set.js';

describe('uidSet', () => {
  it('writes runs as ranges, whatever the order', () => {
    expect(uidSet([7, 3, 1, 2, 3, 9, 10])).toBe('1:3,7,9:10');
    expect(uidSet([5])).toBe('5');
    expect(uidSet([])).toBe('');
  });
});

describe('uidSets', () => {
  it('keeps each set within the length and loses nothing', () => {
    const uids = Array.from({ length: 500 }, (_, i) => 1000 + i * 2);
    const sets = uidSets(uids, 100);
    expect(sets.every((set) => set.length <= 100)).toBe(true);
    expect(sets.join(',')).toBe(uidSet(uids));
  });

  it('makes no set of nothing', () => {
    expect(uidSets([])).toEqual([]);
  });
});
