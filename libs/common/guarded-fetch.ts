import { Agent, buildConnector, type Dispatcher, request } from 'undici';

import type { EgressGuard } from './egress-guard.js';

export interface FetchLimits {
  /** For everything together, redirects included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const MOST_REDIRECTS = 3;

/**
 * Fetches a text from a site that somebody else named: https only, redirects to https only, never to a refused
 * address, a bounded answer in bounded time.
 * @returns null when the site says there is no such page
 * @throws when it cannot be reached or breaks a limit
 */
export async function fetchText(guard: EgressGuard, address: string, limits: FetchLimits): Promise<string | null> {
  const dispatcher = guardedDispatcher(guard, limits.timeoutMs);
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    let url = new URL(address);
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      if (url.protocol !== 'https:') throw new Error(`${url.origin} is not https`);
      const { statusCode, headers, body } = await request(url, { dispatcher, signal });
      const { location } = headers;
      if (statusCode === 200) return await textOf(body, limits.maxBytes);
      await body.dump({ limit: limits.maxBytes, signal });
      if (statusCode < 300 || statusCode > 399 || typeof location !== 'string') return null;
      url = new URL(location, url);
    }
    throw new Error(`${address} redirects without end`);
  } finally {
    await dispatcher.destroy();
  }
}

/** Every connection, redirects included, goes to a checked address. Close it after use. */
export function guardedDispatcher(guard: EgressGuard, timeoutMs: number): Dispatcher {
  const connector = buildConnector({ lookup: guard.lookup, timeout: timeoutMs });
  return new Agent({
    connect: (target, done) => {
      const refusal = guard.refusalOf(target.hostname, 'url');
      if (refusal) done(refusal, null);
      else connector(target, done);
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

async function textOf(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
