import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

/** A driver, and the way to close it together with whatever was taken for it. */
export interface OpenConnection {
  readonly driver: MailDriver;
  close(): Promise<void>;
}

interface Lane {
  /** The last use asked for; the next one waits for it, since calls on one driver must not overlap. */
  tail: Promise<unknown>;
  waiting: number;
  connection: OpenConnection | null;
  cooling: NodeJS.Timeout | null;
}

/** One connection an account for calls on demand, kept for a while after the last use. */
export class WarmConnections {
  private readonly lanes = new Map<string, Lane>();
  private closed = false;

  constructor(
    private readonly open: (accountId: string) => Promise<OpenConnection>,
    private readonly warmMs: number,
  ) {}

  /**
   * Runs `work` when it is this caller's turn. A connection that was kept may have died meanwhile: work that finds it
   * `unavailable` is run once more on a new one, so it must be safe to repeat.
   */
  use<T>(accountId: string, work: (driver: MailDriver) => Promise<T>): Promise<T> {
    if (this.closed) return Promise.reject(new ProviderError('unavailable', 'The worker is stopping.'));
    const lane = this.lane(accountId);
    lane.waiting += 1;
    const turn = lane.tail.then(() => this.attempt(accountId, lane, work));
    lane.tail = turn.then(
      () => this.rest(accountId, lane),
      () => this.rest(accountId, lane),
    );
    return turn;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.lanes.keys()].map((accountId) => this.cool(accountId)));
  }

  private lane(accountId: string): Lane {
    let lane = this.lanes.get(accountId);
    if (!lane) {
      lane = { tail: Promise.resolve(), waiting: 0, connection: null, cooling: null };
      this.lanes.set(accountId, lane);
    }
    if (lane.cooling) clearTimeout(lane.cooling);
    lane.cooling = null;
    return lane;
  }

  private async attempt<T>(accountId: string, lane: Lane, work: (driver: MailDriver) => Promise<T>): Promise<T> {
    const kept = lane.connection;
    const connection = kept ?? (lane.connection = await this.open(accountId));
    try {
      return await work(connection.driver);
    } catch (error) {
      if (error instanceof ProviderError && error.kind === 'not-found') throw error;
      lane.connection = null;
      await connection.close();
      const mayBeStale = kept !== null && error instanceof ProviderError && error.kind === 'unavailable';
      if (!mayBeStale) throw error;
      return this.attempt(accountId, lane, work);
    }
  }

  private rest(accountId: string, lane: Lane): void {
    lane.waiting -= 1;
    if (lane.waiting > 0) return;
    lane.cooling = setTimeout(() => void this.cool(accountId), this.closed ? 0 : this.warmMs);
    lane.cooling.unref();
  }

  private async cool(accountId: string): Promise<void> {
    const lane = this.lanes.get(accountId);
    this.lanes.delete(accountId);
    if (lane?.cooling) clearTimeout(lane.cooling);
    await lane?.connection?.close();
  }
}
