import { fairShare, surplus } from './fair-share.js';

const peer = (sessions: number, capacity = 2000) => ({ sessions, capacity });

describe('fairShare', () => {
  it('has no limit for a worker alone', () => {
    expect(fairShare(6, [])).toBe(Infinity);
  });

  it('is an equal part, rounded up, while another has less than that', () => {
    expect(fairShare(6, [peer(0), peer(0)])).toBe(2);
    expect(fairShare(7, [peer(3), peer(1)])).toBe(3);
  });

  it('has no limit once the others have theirs, or no room', () => {
    expect(fairShare(6, [peer(2), peer(2)])).toBe(Infinity);
    expect(fairShare(1000, [peer(10, 10)])).toBe(Infinity);
  });
});

describe('surplus', () => {
  it('is given away little by little, to the last', () => {
    expect([surplus(2000, 1000), surplus(6, 3), surplus(4, 3), surplus(3, 3), surplus(2, 3)]).toEqual([
      100, 1, 1, 0, 0,
    ]);
    expect(surplus(2000, Infinity)).toBe(0);
  });
});
