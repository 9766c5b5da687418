import { type DynamicModule, Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { ChangesModule } from '#libs/changes/changes.module.js';
import { OldChanges } from '#libs/changes/old-changes.js';
import { CONFIG, ConfigModule } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { LoggerModule } from '#libs/config/logger.module.js';
import { DatabaseModule } from '#libs/database/database.module.js';
import { DeletedAccounts } from '#libs/domain/accounts/deleted-accounts.js';
import { SearchIndexer } from '#libs/domain/search/search-indexer.js';
import { WebhookDeliveryModule } from '#libs/domain/webhooks/webhook-delivery.module.js';
import { QueuesModule } from '#libs/queues/queues.module.js';
import { SyncModule } from '#libs/sync/sync.module.js';

import { JOB_HANDLERS, type JobHandlers, JobRunner } from './job-runner.js';
import { Cleaner } from './maintenance/cleaner.js';
import { SearchClock } from './maintenance/search-clock.js';
import { SendClock } from './maintenance/send-clock.js';
import { Sweeper } from './maintenance/sweeper.js';
import { RemoteCallsProcessor } from './remote-calls/remote-calls.processor.js';
import { RemoteCallsWorkerModule } from './remote-calls/remote-calls.module.js';
import { BackfillProcessor } from './sync/backfill.processor.js';
import { MailSyncProcessor } from './sync/mail-sync.processor.js';
import { WebhookDispatcher } from './webhooks/webhook-dispatcher.js';
import { WebhookProcessor } from './webhooks/webhook.processor.js';

/** Remote calls hold a connection each while they run. */
const REMOTE_CALLS = 16;
/** Webhooks that are delivered to at a time, those that hang included. */
const WEBHOOKS = 500;

@Module({})
export class WorkerModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggerModule.forRoot('worker'),
        DatabaseModule.forRoot('postrider worker'),
        QueuesModule,
        BlobsModule,
        SyncModule,
        RemoteCallsWorkerModule,
        ChangesModule,
        WebhookDeliveryModule,
      ],
      providers: [
        MailSyncProcessor,
        BackfillProcessor,
        Sweeper,
        SendClock,
        SearchIndexer,
        SearchClock,
        Cleaner,
        OldChanges,
        DeletedAccounts,
        WebhookDispatcher,
        WebhookProcessor,
        JobRunner,
        {
          provide: JOB_HANDLERS,
          inject: [CONFIG, MailSyncProcessor, BackfillProcessor, RemoteCallsProcessor, WebhookProcessor],
          useFactory: (
            settings: Config,
            sessions: MailSyncProcessor,
            backfill: BackfillProcessor,
            calls: RemoteCallsProcessor,
            webhooks: WebhookProcessor,
          ): JobHandlers => ({
            'account.watch': { concurrency: settings.SYNC_SESSIONS, run: (payload) => sessions.watch(payload) },
            'account.backfill': {
              concurrency: settings.SYNC_BACKFILL_THREADS,
              run: (payload) => backfill.slice(payload),
            },
            'webhook.deliver': { concurrency: WEBHOOKS, run: (payload) => webhooks.deliver(payload) },
            'remote.call': { concurrency: REMOTE_CALLS, run: (payload) => calls.run(payload) },
          }),
        },
      ],
    };
  }
}
