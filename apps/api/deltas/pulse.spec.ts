import { Pulse } from './pulse.js';

const TICK_MS = 10;

describe('Pulse', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Notes when it was called. */
  const member = () => {
    const at: number[] = [];
    return { at, beat: () => at.push(performance.now()) };
  };
  const gaps = (times: readonly number[]) => times.slice(1).map((time, index) => time - times[index]!);
  /** Nothing runs meanwhile. */
  const stand = (ms: number) => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
    jest.advanceTimersByTime(TICK_MS);
    clock.mockRestore();
  };

  it('calls each once a second, and never many at a time', () => {
    const pulse = new Pulse();
    const members = Array.from({ length: 1000 }, member);
    for (const each of members) pulse.join(each);
    jest.advanceTimersByTime(10_000);
    for (const { at } of members) {
      expect(at).toHaveLength(10);
      expect(Math.max(...gaps(at))).toBeLessThanOrEqual(1000 + TICK_MS);
    }
    const together = new Map<number, number>();
    for (const time of members.flatMap(({ at }) => at)) together.set(time, (together.get(time) ?? 0) + 1);
    expect(Math.max(...together.values())).toBeLessThanOrEqual(20);
  });

  it('calls nobody twice after a standstill', () => {
    const pulse = new Pulse();
    const members = Array.from({ length: 300 }, member);
    for (const each of members) pulse.join(each);
    stand(5000);
    expect(members.map(({ at }) => at.length)).toEqual(members.map(() => 1));
  });

  it('leaves out who left, and keeps no timer for nobody', () => {
    const pulse = new Pulse();
    const [gone, stays] = [member(), member()];
    const leave = [gone, stays].map((each) => pulse.join(each));
    leave[0]!();
    leave[0]!();
    jest.advanceTimersByTime(1000);
    expect([gone.at.length, stays.at.length]).toEqual([0, 1]);
    expect([...pulse.members()]).toEqual([stays]);
    leave[1]!();
    expect(jest.getTimerCount()).toBe(0);
    pulse.join(gone);
    jest.advanceTimersByTime(1000);
    expect(gone.at).toHaveLength(1);
  });
});
