import { createHmac, hash } from 'node:crypto';

import type { ParsedMessage } from './parsed-message.js';

/** More of a long body is not always read. */
const MOST_BODY = 100_000;

/** By which an account's copies of its drafts are known. */
export interface DraftKey {
  readonly secret: string;
  /** Copies that are older than it carry what they say without a key. */
  readonly since: Date;
}

/** What a message says, as a hash: the same for two copies as long as nobody has edited one of them. */
export function printOf({ headers, body, files }: Pick<ParsedMessage, 'headers' | 'body' | 'files'>): string {
  const { subject, from, to, cc, bcc, replyTo } = headers;
  const people = [from, to, cc, bcc, replyTo].map((list) => list.map(({ name, email }) => [name, email]));
  const text = body.replaceAll('\r', '').trim().slice(0, MOST_BODY);
  const attached = files.map(({ filename, contentType, disposition }) => [filename, contentType, disposition]);
  return hash('sha256', JSON.stringify([subject, people, text, attached])).slice(0, 40);
}

/**
 * What a copy of a draft carries in its header. Who gets the draft from another mail program gets this, too: without the
 * key it tells nothing, not even whether a guess at Bcc is right, and nobody else can make one.
 */
export const sealOf = (print: string, { secret }: DraftKey): string =>
  createHmac('sha256', secret).update(print).digest('base64url');
