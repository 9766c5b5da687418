import { agreed, digestOf, isEmpty } from './compare-places.js';

describe('digestOf', () => {
  const places = (...entries: [number, string[]][]) => digestOf(new Map(entries));

  it('knows no order, of uids or of flags', () => {
    expect(places([1, ['\\Seen', 'Later']], [20, []])).toBe(places([20, []], [1, ['Later', '\\Seen']]));
  });

  it('tells every difference', () => {
    const different = [
      places(),
      places([1, []]),
      places([2, []]),
      places([1, ['\\Seen']]),
      places([1, ['\\Seen', '\\Flagged']]),
      places([1, []], [2, []]),
      places([12, []]),
    ];
    expect(new Set(different).size).toBe(different.length);
  });
});

describe('agreed', () => {
  const nothing = { fetch: [], reflag: [], drop: [] };

  it('keeps what both comparisons found, as the second saw it', () => {
    const first = { fetch: [3, 4], reflag: [{ uid: 7, flags: [] }], drop: [1, 2] };
    const second = { fetch: [4, 5], reflag: [{ uid: 7, flags: ['\\Seen'] }], drop: [2, 9] };
    expect(agreed(first, second)).toEqual({ fetch: [4], reflag: [{ uid: 7, flags: ['\\Seen'] }], drop: [2] });
    expect(isEmpty(agreed(first, nothing))).toBe(true);
    expect(agreed(nothing, second)).toEqual(nothing);
  });
});
