// Class 08: connection exceptions; 57P01-57P03: shut down, crashed, starting; 53300: too many connections.
const OUTAGE_STATES = /^(08|57P0[123]$|53300$)/;
const OUTAGE_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);
const OUTAGE_TEXTS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after)/;

/** Whether PostgreSQL itself is away, as opposed to a statement of ours that is wrong. */
export function isDatabaseOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseOutage);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return OUTAGE_STATES.test(code) || OUTAGE_CODES.has(code) || OUTAGE_TEXTS.test(error.message);
}
