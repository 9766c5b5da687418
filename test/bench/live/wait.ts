import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;

/** @throws Error when it does not hold within so many seconds */
export async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${seconds} s: ${what}`);
    await sleep(POLL_MS);
  }
}

/** Does `work` for every item, so many at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, n: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    for (let n = next++; n < items.length; n = next++) results[n] = await work(items[n]!, n);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
