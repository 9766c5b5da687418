/** Called with milliseconds since 1970. */
export interface Beating {
  beat(now: number): void;
}

/** At this many moments of each second, evenly spaced, a share of the members is called. */
const SHARES = 100;
const TICK_MS = 1000 / SHARES;

/**
 * Calls each of its members once a second, few at a time: thousands of writes at once would hold up everything else.
 * One timer for all, none while there are no members.
 */
export class Pulse<Member extends Beating> {
  private readonly shares = Array.from({ length: SHARES }, () => new Set<Member>());
  private joined = 0;
  private size = 0;
  /** Number of the share that was called last, counted on over all seconds. */
  private last = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @returns what takes it out again */
  join(member: Member): () => void {
    const share = this.shares[this.joined % SHARES]!;
    this.joined += 1;
    share.add(member);
    this.size += 1;
    if (!this.timer) this.start();
    return () => {
      if (!share.delete(member)) return;
      this.size -= 1;
      if (this.size === 0) this.stop();
    };
  }

  *members(): Iterable<Member> {
    for (const share of this.shares) yield* share;
  }

  private start(): void {
    this.last = tickNow();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  private stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  /** Timers run late, and more so the busier the process is: it goes by the clock, which keeps the second a second. */
  private tick(): void {
    const now = Date.now();
    const due = tickNow();
    // After a standstill nobody is called twice.
    this.last = Math.max(this.last, due - SHARES);
    while (this.last < due) {
      this.last += 1;
      for (const member of this.shares[this.last % SHARES]!) member.beat(now);
    }
  }
}

const tickNow = (): number => Math.floor(performance.now() / TICK_MS);
