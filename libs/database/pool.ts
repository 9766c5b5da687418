import pg from 'pg';

/**
 * A process that hangs in the middle of a transaction would keep everybody from the account it was writing: its
 * connection is cut. Transactions wait for nothing but the database, so no healthy one idles that long.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A new connection takes 20 ms, and prepares and plans everything anew: those of a quiet minute are kept for the next. */
const KEPT_IDLE_MS = 10 * 60_000;

/** A server that still answers ends a statement itself when its time is up. One that says nothing for this much longer hangs. */
const SILENCE_MS = 1000;

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** How long a statement may take. Without it, as long as it likes. */
  readonly statementTimeoutMs?: number;
}

/** What every connection is opened with, through TypeORM or not. Statements are sent without waiting for the one before. */
export function connectionSettings({ statementTimeoutMs }: DatabaseOptions) {
  return {
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    idleTimeoutMillis: KEPT_IDLE_MS,
    pipeline: true,
    // A connection that breaks on its way from the pool to whoever asked for it has nobody else to listen, and would end
    // the process. What is asked on it fails and says why.
    onConnect: (client: pg.ClientBase) => void client.on('error', () => {}),
    connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT_MS, statementTimeoutMs ?? Infinity),
    // The first is kept by the server; the second by us, and costs the connection.
    ...(statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + SILENCE_MS }),
  };
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
    ...connectionSettings(options),
  });
  return pool.on('error', onError);
}
