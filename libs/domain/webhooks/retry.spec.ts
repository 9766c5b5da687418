import { MOST_ATTEMPTS, retryDelayMs } from './retry.js';

describe('retryDelayMs', () => {
  const delays = (random: number) =>
    Array.from({ length: MOST_ATTEMPTS - 1 }, (_, n) => retryDelayMs(n + 1, () => random)! / 1000);

  it('grows threefold, to twenty minutes for all five attempts', () => {
    expect(delays(0.5)).toEqual([30, 90, 270, 810]);
  });

  it('varies by a tenth, so that what failed together is not tried together', () => {
    expect(delays(0)[0]).toBeCloseTo(27);
    expect(delays(1)[0]).toBeCloseTo(33);
  });

  it('is none after the last attempt', () => {
    expect(retryDelayMs(MOST_ATTEMPTS)).toBeNull();
  });
});
