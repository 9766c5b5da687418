import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { OldChanges } from '#libs/changes/old-changes.js';
import { Logger } from '#libs/common/logger.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';
import { DeletedAccounts } from '#libs/domain/accounts/deleted-accounts.js';
import { onlyCopies } from '#libs/domain/files/only-copies.js';
import { OldDeliveries } from '#libs/domain/webhooks/old-deliveries.js';
import { StaleRefs } from '#libs/sync/mail/stale-refs.js';
import { OldActions } from '#libs/sync/syncback/old-actions.js';

const EVERY_MS = 60 * 60_000;
/** What was fetched on demand is kept this long; after that it is fetched anew. */
const BLOB_DAYS = 7;
const REFS_BUDGET_MS = 5000;
const CHANGES_BUDGET_MS = 5000;
const ACTIONS_BUDGET_MS = 5000;
const DELIVERIES_BUDGET_MS = 20_000;
const ACCOUNTS_BUDGET_MS = 60_000;
const DAY_MS = 86_400_000;

/** Removes, once an hour, what is of no use any more. Every worker cleans; two at a time do no harm. */
@Injectable()
export class Cleaner implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(BlobStore) private readonly blobs: BlobStore,
    private readonly refs: StaleRefs,
    private readonly changes: OldChanges,
    private readonly actions: OldActions,
    private readonly accounts: DeletedAccounts,
    private readonly deliveries: OldDeliveries,
    private readonly reader: Reader,
    @Inject(CONFIG) private readonly config: Pick<Config, 'DELTA_RETENTION_DAYS'>,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.clean(), EVERY_MS);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** One that fails does not keep the others from being tried. */
  async clean(): Promise<void> {
    await this.attempt('blobs', () => this.blobs.removeOlderThan(BLOB_DAYS, (keys) => onlyCopies(this.reader, keys)));
    await this.attempt('references of threads', () => this.refs.clean(Date.now() + REFS_BUDGET_MS));
    await this.attempt('actions', () => this.actions.clean(Date.now() + ACTIONS_BUDGET_MS));
    await this.attempt('deliveries', () => this.deliveries.clean(Date.now() + DELIVERIES_BUDGET_MS));
    await this.attempt('deleted accounts', () => this.accounts.clean(Date.now() + ACCOUNTS_BUDGET_MS));
    const before = new Date(Date.now() - this.config.DELTA_RETENTION_DAYS * DAY_MS);
    await this.attempt('changes', () => this.changes.clean(before, Date.now() + CHANGES_BUDGET_MS));
  }

  private async attempt(what: string, clean: () => Promise<number>): Promise<void> {
    try {
      this.logger.debug({ what, removed: await clean() }, 'cleaned');
    } catch (error) {
      this.logger.error({ err: error, what }, 'cleaning failed');
    }
  }
}
