import { KeptSenders } from './kept-senders.js';

describe('senders that are kept for the next message', () => {
  const opened: { closed: boolean }[] = [];
  const open = () => {
    const sender = { closed: false, send: async () => ({}), close: () => void (sender.closed = true) };
    opened.push(sender);
    return sender;
  };
  const closed = () => opened.map((sender) => sender.closed);

  beforeEach(() => {
    jest.useFakeTimers();
    opened.length = 0;
  });
  afterEach(() => jest.useRealTimers());

  it('are the same as long as the grant is, and end with it', () => {
    const kept = new KeptSenders();
    const first = kept.get('ada', 'one', open);
    expect(kept.get('ada', 'one', open)).toBe(first);
    expect(kept.get('eve', 'one', open)).not.toBe(first);
    expect(kept.get('ada', 'two', open)).not.toBe(first);
    expect(closed()).toEqual([true, false, false]);
    kept.close();
    expect(closed()).toEqual([true, true, true]);
  });

  it('are forgotten a minute after the last message, though nobody asks for another', () => {
    const kept = new KeptSenders();
    kept.get('ada', 'one', open);
    jest.advanceTimersByTime(50_000);
    kept.get('ada', 'one', open);
    jest.advanceTimersByTime(50_000);
    expect(closed()).toEqual([false]);
    jest.advanceTimersByTime(10_000);
    expect(closed()).toEqual([true]);
    kept.get('ada', 'one', open);
    expect(closed()).toEqual([true, false]);
  });
});
