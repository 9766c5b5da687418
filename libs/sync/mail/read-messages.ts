import { parseMessage } from '#libs/mime/parse-message.js';
import type { FetchLimits, MailDriver, RemoteMessage } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ReadMessage } from './ingest.js';

/** Small mail is read whole, of bigger mail the beginning, the structure and the text. */
export const fetchLimits: FetchLimits = { wholeSourceBytes: 65_536, maxTextBytes: 1_048_576 };

/** Where connections come from; a broken one is thrown away and the next `get` opens another. */
export interface DriverSource {
  get(): Promise<MailDriver>;
  discard(): Promise<void>;
}

export interface ReadOutcome {
  readonly messages: readonly ReadMessage[];
  /** Uids whose messages the server cannot give us: it breaks its own grammar or our limits on them. */
  readonly unreadable: readonly { readonly uid: number; readonly reason: string }[];
  /** Uids the server said nothing about: mostly gone meanwhile, or on a cluster not there yet. */
  readonly absent: readonly number[];
}

/**
 * Reads and parses messages of one folder. A message on which the server breaks is found by halving the batch and
 * read in part, so that the others are not held up.
 * @throws ProviderError when the connection or the server fails otherwise
 */
export async function readMessages(source: DriverSource, path: string, uids: readonly number[]): Promise<ReadOutcome> {
  const read = new Map<number, ReadMessage>();
  const unreadable: { uid: number; reason: string }[] = [];
  const stack: number[][] = [[...uids]];
  for (let batch = stack.pop(); batch; batch = stack.pop()) {
    try {
      await readInto(read, source, path, batch, fetchLimits);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.kind !== 'hostile') throw error;
      await source.discard();
      const left = batch.filter((uid) => !read.has(uid));
      if (left.length > 1) stack.push(left.slice(left.length / 2), left.slice(0, left.length / 2));
      else if (left.length === 1 && !(await readLess(read, source, path, left[0]!))) {
        unreadable.push({ uid: left[0]!, reason: error.message });
      }
    }
  }
  const missed = new Set(unreadable.map(({ uid }) => uid));
  const absent = uids.filter((uid) => !read.has(uid) && !missed.has(uid));
  return { messages: [...read.values()], unreadable, absent };
}

/** Without its structure, then without its source. @returns whether the server could be understood */
async function readLess(
  read: Map<number, ReadMessage>,
  source: DriverSource,
  path: string,
  uid: number,
): Promise<boolean> {
  for (const wholeSourceBytes of [fetchLimits.wholeSourceBytes, 0]) {
    try {
      await readInto(read, source, path, [uid], { wholeSourceBytes, maxTextBytes: 0 });
      return true;
    } catch (error) {
      if (!(error instanceof ProviderError) || error.kind !== 'hostile') throw error;
      await source.discard();
    }
  }
  return false;
}

async function readInto(
  read: Map<number, ReadMessage>,
  source: DriverSource,
  path: string,
  uids: readonly number[],
  limits: FetchLimits,
): Promise<void> {
  const driver = await source.get();
  for await (const message of driver.messages(path, uids, limits)) read.set(message.uid, parsed(message));
}

function parsed(message: RemoteMessage): ReadMessage {
  const { uid, flags, receivedAt, size, emailId, providerThreadId, source, complete, structure, textParts } = message;
  return {
    uid,
    flags,
    receivedAt,
    size,
    emailId,
    providerThreadId,
    parsed: parseMessage({ source, complete, structure, textParts }),
  };
}
