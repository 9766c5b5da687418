import type { SearchObject } from 'imapflow';

import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ImapConnection } from './imap-connection.js';

const TERMS = /"([^"]*)"?|(\S+)/g;
const MOST_TERMS = 20;

/** Uids in the open folder: by Gmail's own search where there is one, else of messages that have every word (RFC 9051 6.4.4). */
export async function searchUids(connection: ImapConnection, path: string, text: string): Promise<number[]> {
  const query = connection.has('X-GM-EXT-1') ? { gmraw: text } : textQuery(text);
  const found = await connection.guard(`searching ${path}`, () => connection.flow.search(query, { uid: true }));
  if (Array.isArray(found)) return found;
  throw new ProviderError('rejected', `The mail server refused to search ${path}.`);
}

/** All of several texts is spelled: not without any of them. A query of imapflow has each key once. */
export function textQuery(text: string): SearchObject {
  const terms = Array.from(text.matchAll(TERMS), ([, quoted, word]) => (quoted ?? word ?? '').trim())
    .filter((term) => term !== '')
    .slice(0, MOST_TERMS);
  const [first = text, ...others] = terms;
  if (others.length === 0) return { text: first };
  return { not: { or: terms.map((term) => ({ not: { text: term } })) } };
}
