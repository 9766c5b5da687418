import { backOffMs, syncPolicy } from './policy.js';

describe('syncPolicy', () => {
  it('lets only refused credentials invalidate an account, and only when refused twice, minutes apart', () => {
    const invalidating = Object.entries(syncPolicy).filter(([, outcome]) => outcome.state === 'invalid');
    expect(invalidating).toEqual([
      ['credentials', { state: 'invalid', confirmations: 2, apartMs: 150_000, afterwards: 'wait' }],
    ]);
  });
});

describe('backOffMs', () => {
  it('doubles from two seconds and stops at ten minutes', () => {
    expect([1, 2, 3, 4, 20].map((failures) => backOffMs(failures, 0.5))).toEqual([2000, 4000, 8000, 16_000, 600_000]);
  });

  it('spreads by a quarter either way', () => {
    expect(backOffMs(1, 0)).toBe(1500);
    expect(backOffMs(1, 1)).toBe(2500);
  });
});
