import { DataSource, type DataSourceOptions } from 'typeorm';

import { FirstSchema1790000000000 } from '../../migrations/1790000000000-first-schema.js';
import { Drift1790000100000 } from '../../migrations/1790000100000-drift.js';
import { Workers1790000200000 } from '../../migrations/1790000200000-workers.js';

import { AccessToken, Account, AccountEvent, AuthCode, Grant } from './account.entity.js';
import { Application } from './application.entity.js';
import { BackfillRange, Category, FolderSync, PoisonUid } from './category.entity.js';
import { FileRow, Message, MessageBody, MessageUid } from './message.entity.js';
import { SnakeNaming } from './snake-naming.js';
import { Change, Thread, ThreadCategory, ThreadParticipant, ThreadRef } from './thread.entity.js';
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

  FileRow,
  Thread,
  ThreadCategory,
  ThreadParticipant,
  ThreadRef,
  Change,
  WorkerRow,
];

/**
 * A process that hangs in the middle of a transaction would keep everybody from the account it was writing: its
 * connection is cut. Transactions wait for nothing but the database, so no healthy one idles that long.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/** The one description of our database: application, migrations and tests all start from here. */
export function dataSourceOptions(options: DatabaseOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    poolSize: options.poolSize,
    applicationName: options.applicationName,
    connectTimeoutMS: 10_000,
    extra: { idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS },
    entities,
    migrations: [FirstSchema1790000000000, Drift1790000100000, Workers1790000200000],
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
