import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Logger } from '#libs/common/logger.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import type { JobPayload } from '#libs/queues/jobs.js';
import { AccountState } from '#libs/sync/account-state.js';

import { BackfillPool } from './backfill-pool.js';

const RETRY_MS = 5000;

/** Hands slices of old mail to threads. */
@Injectable()
export class BackfillProcessor implements OnModuleInit, OnApplicationShutdown {
  private readonly pool: BackfillPool;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly state: AccountState,
    private readonly queue: JobQueue,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    this.pool = new BackfillPool(config, logger);
  }

  /** The worker takes no jobs, and does not call itself ready, before its threads are. */
  async onModuleInit(): Promise<void> {
    await this.pool.ready();
  }

  /** An account begins whose mail has never been read. */
  warm(): void {
    this.pool.warm();
  }

  async slice({ accountId, lane }: JobPayload<'account.backfill'>): Promise<void> {
    const outcome = await this.pool.run(accountId);
    await this.state.settle(accountId);
    // At the tail of the queue: accounts take turns.
    if (outcome.kind === 'again') await this.queue.continue('account.backfill', { accountId, lane });
    if (outcome.kind === 'busy') await this.queue.continue('account.backfill', { accountId, lane }, RETRY_MS);
    // Whether the account is in trouble, its session finds out; while it is, a slice finds nothing to claim.
    if (outcome.kind === 'failed') {
      this.logger.warn({ accountId, reason: outcome.reason }, 'backfill slice failed');
      await this.queue.continue('account.backfill', { accountId, lane }, RETRY_MS);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }
}
