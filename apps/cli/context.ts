import { DataSource } from 'typeorm';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { EgressGuard } from '#libs/common/egress-guard.js';
import { createLogger } from '#libs/common/logger.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { apiUrl } from '#libs/config/api-url.js';
import type { Config } from '#libs/config/config.js';
import { createDataSource, poolOf } from '#libs/database/data-source.js';
import { Reader } from '#libs/database/reader.js';
import { AccessTokens } from '#libs/domain/accounts/access-tokens.js';
import { AccountsService } from '#libs/domain/accounts/accounts.service.js';
import { Sealing } from '#libs/domain/accounts/sealing.js';
import { ApplicationsService } from '#libs/domain/applications/applications.service.js';
import { ProviderDetection } from '#libs/providers/detect/detect.module.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';
import { JobQueue } from '#libs/queues/job-queue.js';

/** What commands work with, put together by hand: a command lives for a second and needs no container. */
export interface Context {
  readonly dataSource: DataSource;
  readonly accounts: AccountsService;
  readonly applications: ApplicationsService;
  readonly tokens: AccessTokens;
  readonly sealing: Sealing;
  readonly detection: ProviderDetection;
  readonly registry: DriverRegistry;
  readonly guard: EgressGuard;
  /** Where the API of this installation is reached. */
  readonly apiUrl: string;
  close(): Promise<void>;
}

/** @throws what the driver throws when the database cannot be reached */
export async function openContext(config: Config): Promise<Context> {
  const dataSource = createDataSource({ url: config.DATABASE_URL, poolSize: 2, applicationName: 'postrider cli' });
  await dataSource.initialize();
  const pool = poolOf(dataSource);
  const reader = new Reader(pool);
  const queue = new JobQueue(config, createLogger('cli', 'silent'));
  const guard = new EgressGuard({ allowPrivate: config.EGRESS_ALLOW_PRIVATE });
  const box = new SecretBox(config.SECRET_KEYS);
  return {
    dataSource,
    accounts: new AccountsService(new AccountWriter(pool), reader, box, queue),
    applications: new ApplicationsService(reader, dataSource, box),
    tokens: new AccessTokens(dataSource),
    sealing: new Sealing(dataSource, box),
    detection: new ProviderDetection(config, guard),
    registry: new DriverRegistry(),
    guard,
    apiUrl: apiUrl(config),
    async close() {
      await queue.onApplicationShutdown();
      await dataSource.destroy();
    },
  };
}
