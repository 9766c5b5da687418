import { type Logger as PinoLogger, pino } from 'pino';

import { errorFields } from './error-fields.js';
import { LogSink } from './log-sink.js';

/** Injection token and type of the process's JSON logger. No subjects, addresses, bodies or credentials in its lines. */
export const Logger = Symbol('Logger');
export type Logger = PinoLogger;

/** Lines go to standard error: standard output belongs to what a command prints. */
export function createLogger(name: string, level: string): Logger {
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: errorFields, error: errorFields },
      redact: { paths: ['*.password', '*.secret', '*.access_token', '*.authorization'], censor: '[redacted]' },
    },
    standardError(),
  );
}

let sink: LogSink | null = null;

/** One for all loggers of a process, or their lines would overtake each other. */
function standardError(): LogSink {
  return (sink ??= new LogSink());
}
