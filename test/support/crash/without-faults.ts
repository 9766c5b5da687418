import { pause } from '../convergence/patience.js';

const FIRST_MS = 50;
const LAST_MS = 1000;

/** Asks again and again, less and less often. @returns the faults that there still are after `ms`, mostly none */
export async function withoutFaults(ask: () => Promise<string[]>, ms: number): Promise<string[]> {
  const deadline = Date.now() + ms;
  for (let wait = FIRST_MS; ; wait = Math.min(wait * 1.5, LAST_MS)) {
    const faults = await ask();
    if (faults.length === 0 || Date.now() > deadline) return faults;
    await pause(wait);
  }
}
