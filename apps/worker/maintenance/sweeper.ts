import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import { AccountLog } from '#libs/sync/account-log.js';
import { AccountState } from '#libs/sync/account-state.js';
import { Crew } from '#libs/sync/crew.js';
import { Sending } from '#libs/sync/send/sending.service.js';

import { MailSyncProcessor } from '../sync/mail-sync.processor.js';

const EVERY_MS = 15_000;
/** Old log entries are removed every so many sweeps. */
const PRUNE_EVERY = 20;
/** A session shows a sign of life every two seconds; after this long without one its account is free. */
const ABANDONED_SECONDS = 20;

/**
 * Adds jobs for work that the database knows of and nobody seems to do: after a crash between commit and add, after
 * Redis lost its data, after a worker died. Every worker sweeps; repeating an add is harmless.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;
  private sweeps = 0;

  constructor(
    private readonly state: AccountState,
    private readonly crew: Crew,
    private readonly accountLog: AccountLog,
    private readonly queue: JobQueue,
    private readonly sessions: MailSyncProcessor,
    private readonly sending: Sending,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** Where no other worker is, nobody holds an account: what was stopped a moment ago goes on at once. */
  async onApplicationBootstrap(): Promise<void> {
    await this.crew.report(0);
    await this.sweep(this.crew.company ? ABANDONED_SECONDS : 0);
    this.timer = setInterval(() => void this.sweep(), EVERY_MS);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  private async sweep(abandonedSeconds = ABANDONED_SECONDS): Promise<void> {
    try {
      // What jobs are added for now is not adopted, too: it would be taken on twice.
      if (this.sweeps > 0) await this.sessions.adopt();
      for (const accountId of await this.state.abandoned(abandonedSeconds)) {
        await this.queue.add('account.watch', { accountId });
      }
      for (const accountId of await this.state.withBackfill()) {
        for (const lane of [0, 1]) await this.queue.add('account.backfill', { accountId, lane });
      }
      await this.sending.sweep();
      if (this.sweeps % PRUNE_EVERY === 0) await this.accountLog.prune();
      this.sweeps += 1;
    } catch (error) {
      this.logger.error({ err: error }, 'sweep failed');
    }
  }
}
