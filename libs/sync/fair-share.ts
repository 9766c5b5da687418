export interface Peer {
  readonly sessions: number;
  readonly capacity: number;
}

/**
 * How many accounts a worker should hold: an equal part, as long as another has room for what is above it.
 * @param accounts all that are to be watched
 * @param others the other workers that live
 */
export function fairShare(accounts: number, others: readonly Peer[]): number {
  const share = Math.ceil(accounts / (others.length + 1));
  const room = others.some(({ sessions, capacity }) => sessions < Math.min(share, capacity));
  return room ? share : Infinity;
}

/** How many sessions to hand over now: a tenth of what is too much, so that nobody signs in everywhere at once. */
export function surplus(held: number, share: number): number {
  return held > share ? Math.ceil((held - share) / 10) : 0;
}
