import { isDeepStrictEqual } from 'node:util';

import type { LoadResult } from '../api-load.js';
import { quantile } from '../report.js';

import type { LoadProcess } from './load-process.js';
import type { Subject } from './seed.js';

/** One kind of request. */
export interface Case {
  readonly name: string;
  readonly paths: readonly string[];
  readonly clients: number;
  /** Which of the targets it is held against. */
  readonly target?: 'page' | 'deep' | undefined;
}

/** Where the two listen, and the token that opens the account at both. */
export interface Sides {
  readonly ours: string;
  readonly peer: string;
  readonly token: string;
}

export interface Side {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Measured extends Case {
  readonly ours: Side;
  readonly peer: Side;
  readonly sameBytes: boolean;
}

const CLIENTS = 16;

export function casesFor(subject: Subject): Case[] {
  const v1 = `/n/${subject.accountId}`;
  const list = (name: string, path: string): Case => ({ name, paths: [path], clients: CLIENTS });
  const email = (address: string) => `/threads?limit=100&any_email=${encodeURIComponent(address)}`;
  return [
    { ...list('threads', '/threads?limit=100'), target: 'page' },
    { ...list('threads v1', `${v1}/threads?limit=100`), target: 'page' },
    { ...list('threads tag=inbox v1', `${v1}/threads?limit=100&tag=inbox`), target: 'page' },
    { ...list('threads in=inbox', '/threads?limit=100&in=inbox'), target: 'page' },
    { ...list('threads any_email, common', email(subject.commonEmail)), target: 'page' },
    { ...list('threads any_email, rare', email(subject.rareEmail)), target: 'page' },
    { name: 'message', paths: subject.messageIds.map((id) => `/messages/${id}`), clients: CLIENTS },
    list('threads view=count', '/threads?view=count'),
    list('messages view=count', '/messages?view=count'),
    {
      name: 'threads offset=60000',
      paths: [`/threads?limit=100&offset=${Math.min(60_000, Math.floor(subject.threads * 0.83))}`],
      clients: 1,
      target: 'deep',
    },
  ];
}

/** Ours and the peer in turns, so that the machine's moods hit both. @throws when they do not answer the same */
export async function measureCase(
  load: LoadProcess,
  sides: Sides,
  each: Case,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Measured> {
  const sameBytes = await compare(sides, each.paths[0]!);
  const results: Record<'ours' | 'peer', LoadResult[]> = { ours: [], peer: [] };
  for (let turn = 0; turn <= rounds; turn += 1) {
    for (const side of turn % 2 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)) {
      const { paths, clients } = each;
      const isWarmUp = turn === 0;
      const stretch = { origin: sides[side], token: sides.token, paths, clients, seconds: isWarmUp ? 1 : seconds };
      const result = await load.run(stretch);
      if (!isWarmUp) results[side].push(result);
    }
  }
  return { ...each, ours: summarize(results.ours), peer: summarize(results.peer), sameBytes };
}

function summarize(results: readonly LoadResult[]): Side {
  const latencies = results.flatMap((result) => result.latencies);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return {
    perSecond: latencies.length / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

async function compare(sides: Sides, path: string): Promise<boolean> {
  const [ours, peer] = await Promise.all([
    fetchText(sides.ours + path, sides.token),
    fetchText(sides.peer + path, sides.token),
  ]);
  if (ours === peer) return true;
  if (!isDeepStrictEqual(JSON.parse(ours), JSON.parse(peer))) {
    const at = Array.from(ours).findIndex((letter, n) => letter !== peer[n]);
    const near = (text: string) => text.slice(Math.max(0, at - 60), at + 60);
    throw new Error(`The two answer ${path} differently near\n  ours: ${near(ours)}\n  bare: ${near(peer)}`);
  }
  return false;
}

async function fetchText(url: string, token: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${text}`);
  return text;
}
