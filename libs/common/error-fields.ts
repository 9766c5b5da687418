export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/** Causes of causes that a log line tells of. */
const MOST_CAUSES = 3;

/**
 * What a log line says of an error. These fields and no others: the database's errors also carry the values of the row
 * they are about, Redis's the words of the command, its password among them.
 */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  return {
    type: error.name,
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    ...(error.stack ? { stack: error.stack } : {}),
    ...(error.cause !== undefined && depth < MOST_CAUSES ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}
