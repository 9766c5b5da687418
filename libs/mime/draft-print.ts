import { createHash, createHmac, hash } from 'node:crypto';

import type { ParsedMessage } from './parsed-message.js';

/** More of a long body is not always read. */
const MOST_BODY = 100_000;

/** By which an account's copies of its drafts are known. */
export interface DraftKey {
  readonly secret: string;
  /** Copies that are older than it carry what they say without a key. */
  readonly since: Date;
}

/**
 * What a message says, as a hash: the same for two copies as long as nobody has edited one of them. Behind a dash what its
 * files contain, where that was read.
 */
export function printOf({ headers, body, files }: Pick<ParsedMessage, 'headers' | 'body' | 'files'>): string {
  const { subject, from, to, cc, bcc, replyTo } = headers;
  const people = [from, to, cc, bcc, replyTo].map((list) => list.map(({ name, email }) => [name, email]));
  const text = body.replaceAll('\r', '').trim().slice(0, MOST_BODY);
  const attached = files.map(({ filename, contentType, disposition }) => [filename, contentType, disposition]);
  const letter = hash('sha256', JSON.stringify([subject, people, text, attached])).slice(0, 40);
  const contents = files.map(({ contentDigest }) => contentDigest ?? null);
  if (contents.every((digest) => digest === null)) return letter;
  return `${letter}-${hash('sha256', JSON.stringify(contents)).slice(0, 24)}`;
}

/** The print of the letter without what its files contain: all that there was in times before. */
export const letterOf = (print: string): string => print.split('-', 1)[0]!;

/** Where it is not known what the files of one of them contain, the letters have to do. */
export function isSamePrint(one: string, other: string): boolean {
  return one === other || (letterOf(one) === letterOf(other) && (letterOf(one) === one || letterOf(other) === other));
}

/** Messages are attached as they are, and servers see to their line ends. */
const AS_IT_IS = /^message\//i;

/** What a file contains, as a hash. */
export async function contentDigest(contentType: string, content: Buffer | NodeJS.ReadableStream): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of Buffer.isBuffer(content) ? [content] : (content as AsyncIterable<Buffer>)) {
    digest.update(AS_IT_IS.test(contentType) ? chunk.toString('latin1').replace(/[\r\n]/g, '') : chunk);
  }
  return digest.digest('hex');
}

/**
 * What a copy of a draft carries in its header. Who gets the draft from another mail program gets this, too: without the
 * key it tells nothing, not even whether a guess at Bcc is right, and nobody else can make one.
 */
export const sealOf = (print: string, { secret }: DraftKey): string =>
  createHmac('sha256', secret).update(print).digest('base64url');
