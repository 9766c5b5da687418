import type { Logger } from 'imapflow';

/** What imapflow tells its logger and nobody else. */
export interface FlowNews {
  /** A line of the server could not be parsed: imapflow goes on as if it had not come. */
  unreadable(): void;
  /** The server wants us to be slower by so many milliseconds. imapflow would wait by itself, up to five minutes. */
  throttled(delayMs: number): void;
}

export function flowLogger(news: FlowNews): Logger {
  const silent = () => undefined;
  const logger: Logger & { isLevelEnabled(level: string): boolean } = {
    debug: silent,
    info: silent,
    warn: (entry: unknown) => {
      if (typeof entry !== 'object' || entry === null || !('throttleDelay' in entry)) return;
      const delayMs = Number(entry.throttleDelay);
      // imapflow is about to start waiting; only a wait that has begun can be broken off.
      setImmediate(() => news.throttled(delayMs));
    },
    error: (entry: unknown) => {
      if (typeof entry === 'object' && entry !== null && 'payloadBytes' in entry) news.unreadable();
    },
    // Spares imapflow the work of spelling out every response.
    isLevelEnabled: (level) => level === 'error',
  };
  return logger;
}
