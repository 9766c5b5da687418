import 'reflect-metadata';

import { parentPort, workerData } from 'node:worker_threads';

import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ConfigModule } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { DatabaseModule } from '#libs/database/database.module.js';
import { LoggerModule } from '#libs/config/logger.module.js';
import { QueuesModule } from '#libs/queues/queues.module.js';
import { ConnectionBudget, type ConnectionLease } from '#libs/sync/connection-budget.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { Backfill } from '#libs/sync/mail/backfill.js';
import { SyncModule } from '#libs/sync/sync.module.js';

import { READY, type SliceAnswer, type SliceOutcome, type SliceRequest } from './backfill-pool.js';

/** A slice's time: long enough to use its connection well, short enough for others to get their turn. */
const SLICE_MS = 10_000;
/** A connection that was not used for this long is closed. */
const WARM_MS = 20_000;

// Structured cloning turns the keys' Buffers into plain Uint8Arrays.
const given = workerData as Config;
const config: Config = {
  ...given,
  DATABASE_POOL_SIZE: 2,
  SECRET_KEYS: given.SECRET_KEYS.map(({ id, key }) => ({ id, key: Buffer.from(key) })),
};

@Module({
  imports: [
    ConfigModule.forRoot(config),
    LoggerModule.forRoot('backfill'),
    DatabaseModule.forRoot('postrider backfill'),
    QueuesModule,
    SyncModule,
  ],
})
class BackfillThreadModule {}

const port = parentPort!;
const app = await NestFactory.createApplicationContext(BackfillThreadModule, { logger: ['error'] });
const backfill = app.get(Backfill);
const connections = app.get(Connections);
const budget = app.get(ConnectionBudget);
let warm: { readonly accountId: string; readonly source: OneConnection; readonly lease: ConnectionLease } | null = null;
let cooling: NodeJS.Timeout | null = null;

port.on('message', (request: SliceRequest) => {
  if ('close' in request) void close();
  else
    void slice(request.accountId).then((outcome) =>
      port.postMessage({ slice: request.slice, outcome } satisfies SliceAnswer),
    );
});

port.postMessage(READY);

async function slice(accountId: string): Promise<SliceOutcome> {
  if (cooling) clearTimeout(cooling);
  try {
    const source = await connectionOf(accountId);
    if (!source) return { kind: 'busy' };
    return { kind: await backfill.run(accountId, source, Date.now() + SLICE_MS) };
  } catch (error) {
    await cool();
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    cooling = setTimeout(() => void cool(), WARM_MS);
  }
}

/** Null when the account may not have another. */
async function connectionOf(accountId: string): Promise<OneConnection | null> {
  if (warm?.accountId !== accountId) {
    await cool();
    const lease = await budget.take(accountId, 'backfill');
    if (!lease) return null;
    warm = { accountId, source: new OneConnection(() => connections.openMail(accountId)), lease };
  }
  return warm.source;
}

async function cool(): Promise<void> {
  const cold = warm;
  warm = null;
  await cold?.source.discard();
  await cold?.lease.release();
}

async function close(): Promise<void> {
  await cool();
  await app.close();
  process.exit(0);
}
