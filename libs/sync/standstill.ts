/** Others take over what is held by a worker that was not heard of for ten seconds or more. */
const LONG_MS = 2500;
const TICK_MS = 1000;

/**
 * Notices that this process stood still: it was stopped, or its machine slept. What it had in hand may be in others'
 * hands since, and the first thing that happens afterwards may be any.
 */
export class Standstills {
  private seenAt = Date.now();
  private count = 0;

  constructor() {
    setInterval(() => this.look(), TICK_MS).unref();
  }

  /** How often it stood still so far. */
  look(): number {
    const now = Date.now();
    if (now - this.seenAt > LONG_MS) this.count += 1;
    this.seenAt = now;
    return this.count;
  }
}

/** To be awaited before something is done: lets `check` object when the process stood still since the last time. */
export function afterStandstill(standstills: Pick<Standstills, 'look'>, check: () => Promise<void>) {
  let known = standstills.look();
  return async (): Promise<void> => {
    const now = standstills.look();
    if (now === known) return;
    await check();
    known = now;
  };
}
