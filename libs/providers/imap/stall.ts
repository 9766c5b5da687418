import type { Writable } from 'node:stream';

import { ProviderError } from '#libs/providers/contracts/provider-error.js';

/** A command that received at least this much in the time after which it counts as stalled is slow, not dead. */
const PROGRESS_BYTES = 16_384;
/**
 * A server that says something at least is waited for so many times as long: Dovecot says "Hang in there.." for two
 * minutes before it breaks a lock that somebody has left behind.
 */
const MOST_WAITS = 4;

/** A connection, as whoever watches it for silence needs it. */
export interface WatchedLine {
  /** Bytes so far. */
  received(): number;
  cut(): void;
}

const stalled = (doing: string) =>
  new ProviderError('unavailable', `The mail server stopped answering while ${doing}.`, { stalled: true });

/**
 * Waits for one command; when the server falls silent in the middle of it the line is cut.
 * @throws ProviderError then; what the command throws
 */
export function unlessStalled<T>(
  line: WatchedLine,
  stallMs: number,
  doing: string,
  command: () => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let received = line.received();
    let waits = 1;
    const check = () => {
      const now = line.received();
      waits = now - received >= PROGRESS_BYTES ? 1 : waits + 1;
      if (now > received && waits <= MOST_WAITS) {
        received = now;
        timer = setTimeout(check, stallMs);
        return;
      }
      reject(stalled(doing));
      line.cut();
    };
    let timer = setTimeout(check, stallMs);
    command()
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}

/** Cuts the line when nothing more arrives for a stream, unless it is the reader who takes his time. @returns its end */
export function watchStream(line: WatchedLine, stallMs: number, doing: string, stream: Writable): () => void {
  let received = line.received();
  const timer = setInterval(() => {
    const now = line.received();
    if (now - received < PROGRESS_BYTES && !stream.writableNeedDrain) {
      stream.destroy(stalled(doing));
      line.cut();
    }
    received = now;
  }, stallMs);
  return () => clearInterval(timer);
}
