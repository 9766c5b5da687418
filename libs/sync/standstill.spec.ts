import { afterStandstill, Standstills } from './standstill.js';

describe('a process that stood still', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('notices it, whatever happens first', () => {
    const standstills = new Standstills();
    jest.advanceTimersByTime(60_000);
    expect(standstills.look()).toBe(0);
    jest.setSystemTime(Date.now() + 10_000);
    expect(standstills.look()).toBe(1);
    jest.setSystemTime(Date.now() + 10_000);
    jest.advanceTimersByTime(1000);
    expect(standstills.look()).toBe(2);
  });

  it('asks before it goes on, until it is told that it may', async () => {
    let count = 0;
    const check = jest.fn<Promise<void>, []>().mockRejectedValueOnce(new Error('taken over')).mockResolvedValue();
    const mayGoOn = afterStandstill({ look: () => count }, check);
    await mayGoOn();
    expect(check).not.toHaveBeenCalled();
    count = 1;
    await expect(mayGoOn()).rejects.toThrow('taken over');
    await mayGoOn();
    await mayGoOn();
    expect(check).toHaveBeenCalledTimes(2);
  });
});
