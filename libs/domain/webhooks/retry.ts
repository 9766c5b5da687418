export const MOST_ATTEMPTS = 5;

const FIRST_MS = 30_000;
const FACTOR = 3;
const JITTER = 0.2;

/**
 * How long to wait after so many attempts: about 30, 90, 270 and 810 seconds, twenty minutes together. Null when that
 * was the last one.
 */
export function retryDelayMs(attempts: number, random: () => number = Math.random): number | null {
  if (attempts >= MOST_ATTEMPTS) return null;
  return FIRST_MS * FACTOR ** (attempts - 1) * (1 - JITTER / 2 + JITTER * random());
}
