import type { Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';

import { FirstSchema1790000000000 } from '../../migrations/1790000000000-first-schema.js';
import { Drift1790000100000 } from '../../migrations/1790000100000-drift.js';
import { Workers1790000200000 } from '../../migrations/1790000200000-workers.js';
import { SyncedCounts1790000300000 } from '../../migrations/1790000300000-synced-counts.js';
import { NoMailboxId1790000400000 } from '../../migrations/1790000400000-no-mailbox-id.js';
import { Actions1790000500000 } from '../../migrations/1790000500000-actions.js';
import { Drafts1790000600000 } from '../../migrations/1790000600000-drafts.js';
import { Sends1790000700000 } from '../../migrations/1790000700000-sends.js';
import { SendOutcomes1790000810000 } from '../../migrations/1790000810000-send-outcomes.js';
import { ScheduledSends1790000820000 } from '../../migrations/1790000820000-scheduled-sends.js';
import { DeliveryFailures1790000830000 } from '../../migrations/1790000830000-delivery-failures.js';
import { OnlyCopies1790001020000 } from '../../migrations/1790001020000-only-copies.js';
import { SentCopies1790001040000 } from '../../migrations/1790001040000-sent-copies.js';
import { WaitingReports1790001041000 } from '../../migrations/1790001041000-waiting-reports.js';
import { DraftKeys1790001050000 } from '../../migrations/1790001050000-draft-keys.js';
import { SavedMessages1790001051000 } from '../../migrations/1790001051000-saved-messages.js';
import { ApplicationSettings1790001100000 } from '../../migrations/1790001100000-application-settings.js';
import { Webhooks1790001110000 } from '../../migrations/1790001110000-webhooks.js';
import { CopiesOfDrafts1790001021000 } from '../../migrations/1790001021000-copies-of-drafts.js';
import { Search1790001120000 } from '../../migrations/1790001120000-search.js';
import { SearchPlaces1790001120100 } from '../../migrations/1790001120100-search-places.js';

import { AccessToken, Account, AccountEvent, AuthCode, Grant } from './account.entity.js';
import { Action } from './action.entity.js';
import { Application } from './application.entity.js';
import { BackfillRange, Category, FolderSync, PoisonUid } from './category.entity.js';
import { FileRow, Message, MessageBody, MessageUid, WaitingReport } from './message.entity.js';
import { connectionSettings, type DatabaseOptions } from './pool.js';
import { SearchAccount, SearchDocument } from './search.entity.js';
import { Send } from './send.entity.js';
import { SnakeNaming } from './snake-naming.js';
import { Change, Thread, ThreadCategory, ThreadParticipant, ThreadRef } from './thread.entity.js';
import { Webhook, WebhookCursor, WebhookDelivery, WebhookTally } from './webhook.entity.js';
import { WorkerRow } from './worker.entity.js';

export const entities = [
  Application,
  Account,
  Grant,
  AccessToken,
  AuthCode,
  AccountEvent,
  Category,
  FolderSync,
  BackfillRange,
  PoisonUid,
  Message,
  MessageBody,
  MessageUid,
  WaitingReport,
  FileRow,
  Thread,
  ThreadCategory,
  ThreadParticipant,
  ThreadRef,
  Change,
  Action,
  Send,
  Webhook,
  WebhookCursor,
  WebhookDelivery,
  WebhookTally,
  SearchAccount,
  SearchDocument,
  WorkerRow,
];

/** The one description of our database: application, migrations and tests all start from here. */
export function dataSourceOptions(options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    poolSize: options.poolSize,
    applicationName: options.applicationName,
    extra: connectionSettings(options),
    entities,
    migrations: [
      FirstSchema1790000000000,
      Drift1790000100000,
      Workers1790000200000,
      SyncedCounts1790000300000,
      NoMailboxId1790000400000,
      Actions1790000500000,
      Drafts1790000600000,
      Sends1790000700000,
      SendOutcomes1790000810000,
      ScheduledSends1790000820000,
      DeliveryFailures1790000830000,
      OnlyCopies1790001020000,
      CopiesOfDrafts1790001021000,
      SentCopies1790001040000,
      WaitingReports1790001041000,
      DraftKeys1790001050000,
      SavedMessages1790001051000,
      ApplicationSettings1790001100000,
      Webhooks1790001110000,
      Search1790001120000,
      SearchPlaces1790001120100,
    ],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNaming(),
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    synchronize: false,
  };
}

export function createDataSource(options: DatabaseOptions): DataSource {
  return new DataSource(dataSourceOptions(options));
}

/** The driver's pool beneath an initialized data source: what the write door and the Reader work on. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}
