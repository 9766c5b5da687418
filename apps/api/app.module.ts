import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import type { Config } from '#libs/config/config.js';
import { ConfigModule } from '#libs/config/config.module.js';
import { LoggerModule } from '#libs/config/logger.module.js';
import { DatabaseModule } from '#libs/database/database.module.js';
import { AccountReadsModule } from '#libs/domain/accounts/account-reads.module.js';
import { ActionsModule } from '#libs/domain/actions/actions.module.js';
import { DeltasModule } from '#libs/domain/deltas/deltas.module.js';
import { DraftsModule } from '#libs/domain/drafts/drafts.module.js';
import { FilesModule } from '#libs/domain/files/files.module.js';
import { FoldersModule } from '#libs/domain/folders/folders.module.js';
import { MessagesModule } from '#libs/domain/messages/messages.module.js';
import { SearchModule } from '#libs/domain/search/search.module.js';
import { SendModule } from '#libs/domain/send/send.module.js';
import { TagsModule } from '#libs/domain/tags/tags.module.js';
import { ThreadsModule } from '#libs/domain/threads/threads.module.js';
import { QueuesModule } from '#libs/queues/queues.module.js';

import { AccountsController } from './accounts/accounts.controller.js';
import { DeltasController } from './deltas/deltas.controller.js';
import { LiveFeeds } from './deltas/live-feeds.js';
import { DraftsController } from './drafts/drafts.controller.js';
import { FilesController } from './files/files.controller.js';
import { FoldersController, LabelsController } from './folders/folders.controller.js';
import { HealthController } from './health/health.controller.js';
import { Readiness } from './health/readiness.js';
import { AccessTokenStrategy } from './http/auth/access-token.strategy.js';
import { AccountGuard } from './http/auth/account.guard.js';
import { RateLimits } from './http/auth/rate-limits.js';
import { ErrorFilter } from './http/error.filter.js';
import { ParameterPipe } from './http/parameter.pipe.js';
import { RouteTable } from './http/route-table.js';
import { JobStatusesController } from './job-statuses/job-statuses.controller.js';
import { ManagementModule } from './management/management.module.js';
import { MessagesController } from './messages/messages.controller.js';
import { OauthModule } from './oauth/oauth.module.js';
import { SearchController } from './search/search.controller.js';
import { OutboxController } from './send/outbox.controller.js';
import { SendController } from './send/send.controller.js';
import { TagsController } from './tags/tags.controller.js';
import { ThreadsController } from './threads/threads.controller.js';

@Module({})
export class AppModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        LoggerModule.forRoot('api'),
        DatabaseModule.forRoot('postrider api', config.API_QUERY_TIMEOUT_SECONDS * 1000),
        QueuesModule,
        BlobsModule,
        PassportModule,
        AccountReadsModule,
        ActionsModule,
        DeltasModule,
        DraftsModule,
        FilesModule,
        FoldersModule,
        MessagesModule,
        SearchModule,
        SendModule,
        TagsModule,
        ThreadsModule,
        OauthModule,
        ManagementModule,
      ],
      // Express tries routes in this order: the busiest first, but `search` before what takes it for an id.
      controllers: [
        SearchController,
        ThreadsController,
        MessagesController,
        DraftsController,
        DeltasController,
        TagsController,
        FoldersController,
        LabelsController,
        FilesController,
        JobStatusesController,
        SendController,
        OutboxController,
        AccountsController,
        HealthController,
      ],
      providers: [
        { provide: APP_GUARD, useClass: AccountGuard },
        { provide: APP_PIPE, useClass: ParameterPipe },
        { provide: APP_FILTER, useClass: ErrorFilter },
        AccessTokenStrategy,
        LiveFeeds,
        RateLimits,
        Readiness,
        RouteTable,
      ],
    };
  }
}
