import { DataSource, type DataSourceOptions } from 'typeorm';

import { FirstSchema1790000000000 } from '../../migrations/1790000000000-first-schema.js';
import { Drift1790000100000 } from '../../migrations/1790000100000-drift.js';

import { AccessToken, Account, AccountEvent, AuthCode, Grant } from './account.entity.js';
import { Application } from './application.entity.js';
import { BackfillRange, Category, FolderSync, PoisonUid } from './category.entity.js';
import { FileRow, Message, MessageBody, MessageUid } from './message.entity.js';
import { SnakeNaming } from './snake-naming.js';
import { Change, Thread, ThreadCategory, ThreadParticipant, ThreadRef } from './thread.entity.js';

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
];

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
    entities,
    migrations: [FirstSchema1790000000000, Drift1790000100000],
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
