import 'reflect-metadata';

import { parentPort, workerData } from 'node:worker_threads';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { EgressGuard } from '#libs/common/egress-guard.js';
import { createLogger } from '#libs/common/logger.js';
import { SecretBox } from '#libs/common/secret-box.js';
import type { Config } from '#libs/config/config.js';
import { createPool } from '#libs/database/pool.js';
import { Reader } from '#libs/database/reader.js';
import { YoungTables } from '#libs/database/young-tables.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';
import { ConnectionBudget, type ConnectionLease } from '#libs/sync/connection-budget.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { Backfill } from '#libs/sync/mail/backfill.js';

import { READY, type SliceAnswer, type SliceOutcome, type SliceRequest } from './backfill-pool.js';

/** A slice's time: long enough to use its connection well, short enough for others to get their turn. */
const SLICE_MS = 10_000;
/** A connection that was not used for this long is closed. */
const WARM_MS = 20_000;

// Structured cloning turns the keys' Buffers into plain Uint8Arrays.
const given = workerData as Config;
const config: Config = {
  ...given,
  SECRET_KEYS: given.SECRET_KEYS.map(({ id, key }) => ({ id, key: Buffer.from(key) })),
};

const port = parentPort!;
const logger = createLogger('backfill', config.LOG_LEVEL);
// Put together by hand: a container and TypeORM would double the memory and the start of every thread.
const pool = createPool({ url: config.DATABASE_URL, poolSize: 2, applicationName: 'postrider backfill' }, (error) =>
  logger.warn({ err: error }, 'a database connection broke'),
);
const reader = new Reader(pool);
const backfill = new Backfill(reader, new AccountWriter(pool), new YoungTables(reader));
const connections = new Connections(
  reader,
  new SecretBox(config.SECRET_KEYS),
  new DriverRegistry(),
  new EgressGuard({ allowPrivate: config.EGRESS_ALLOW_PRIVATE }),
);
const budget = new ConnectionBudget(config, logger);
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
  budget.onApplicationShutdown();
  await pool.end();
  process.exit(0);
}
