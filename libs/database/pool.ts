import pg from 'pg';

/**
 * A process that hangs in the middle of a transaction would keep everybody from the account it was writing: its
 * connection is cut. Transactions wait for nothing but the database, so no healthy one idles that long.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 10_000;

/** What every connection is opened with, through TypeORM or not. Statements are sent without waiting for the one before. */
export const CONNECTION_SETTINGS = {
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  pipeline: true,
};

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/**
 * A pool without TypeORM around it, for threads that only read and write rows: entities and their metadata would cost
 * each of them 50 MB.
 */
export function createPool(options: DatabaseOptions, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...CONNECTION_SETTINGS,
  });
  return pool.on('error', onError);
}
