import { ByteBudget } from './byte-budget.js';

describe('ByteBudget', () => {
  it('lets in what fits, in order, and something too large alone', async () => {
    const budget = new ByteBudget(10);
    const running = new Set<number>();
    let most: number[] = [];
    const ends: (() => void)[] = [];
    const work = (n: number, bytes: number) =>
      budget.use(bytes, async () => {
        running.add(n);
        most = [...running];
        await new Promise<void>((resolve) => ends.push(resolve));
        running.delete(n);
      });
    const all = [work(1, 6), work(2, 4), work(3, 50), work(4, 1)];
    const step = async () => {
      ends.shift()!();
      for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
    };
    expect(most).toEqual([1, 2]);
    await step();
    expect(most).toEqual([1, 2]);
    await step();
    expect(most).toEqual([3]);
    await step();
    expect(most).toEqual([4]);
    await step();
    await Promise.all(all);
  });

  it('goes on after work that failed', async () => {
    const budget = new ByteBudget(1);
    await expect(budget.use(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await budget.use(1, async () => 'yes')).toBe('yes');
  });
});
