import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { Sending } from '#libs/sync/send/sending.service.js';
import { UnknownSends } from '#libs/sync/send/unknown-sends.js';

const DUE_MS = 500;
const LOOK_MS = 3000;
/** Messages that are due and sent at a time. */
const MOST_AT_A_TIME = 8;
/** What is being sent when the worker is stopped may end; what takes longer is found by its claim. */
const PATIENCE_MS = 10_000;

/**
 * Sends what is due, and looks for what may have been sent. The clock is PostgreSQL's, and so is the word on who sends
 * what: every worker asks, and each message is given to one.
 */
@Injectable()
export class SendClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly lanes = new Set<Promise<void>>();
  private looking: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly sending: Sending,
    private readonly unknown: UnknownSends,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timers.push(
      setInterval(() => this.sendDue(), DUE_MS),
      setInterval(() => this.look(), LOOK_MS),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const timer of this.timers) clearInterval(timer);
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([Promise.allSettled([...this.lanes, this.looking]), patience]);
    clearTimeout(late);
  }

  /** One more, unless there are enough: as long as there is something for each there will be another. */
  private sendDue(): void {
    if (this.stopping || this.lanes.size >= MOST_AT_A_TIME) return;
    const lane = this.sendAll()
      .catch((error: unknown) => this.logger.error({ err: error }, 'sending what is due failed'))
      .finally(() => this.lanes.delete(lane));
    this.lanes.add(lane);
  }

  private async sendAll(): Promise<void> {
    while (!this.stopping && (await this.sending.runDue()));
  }

  private look(): void {
    this.looking ??= this.unknown
      .look()
      .catch((error: unknown) => this.logger.error({ err: error }, 'looking for what may have been sent failed'))
      .finally(() => {
        this.looking = null;
      });
  }
}
