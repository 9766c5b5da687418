import { Readable } from 'node:stream';

import type { MessageBytes } from './message-bytes.js';
import { splitHeader } from './split-header.js';

const CR = 13;
const LF = 10;
const COLON = 0x3a;

/**
 * A message without its Bcc fields, with all their folded lines (RFC 5322 2.2.3), and without the seal in copies of
 * drafts, which is for us alone. Nothing but the header is looked at, and nothing else of it is
 * touched. Lines must end in CRLF or LF.
 */
export function withoutBcc(source: Buffer): Buffer {
  const kept: Buffer[] = [];
  let dropping = false;
  let at = 0;
  while (at < source.length) {
    const end = lineEnd(source, at);
    const line = source.subarray(at, end);
    if (isBlank(line)) break;
    const folded = line[0] === 0x20 || line[0] === 0x09;
    if (!folded) dropping = isSecret(line);
    if (!dropping) kept.push(line);
    at = end;
  }
  return Buffer.concat([...kept, source.subarray(at)]);
}

/** The same of a message that need not be in memory. Its lines must end in CRLF. */
export async function bytesWithoutBcc({ size, open }: MessageBytes): Promise<MessageBytes> {
  const split = async () => (await splitHeader(open()))!;
  const { header, rest } = await split();
  await rest.return(undefined);
  const kept = withoutBcc(header);
  const chunks = async function* () {
    yield kept;
    yield* (await split()).rest;
  };
  return {
    size: size - header.length + kept.length,
    open: () => Readable.from(chunks(), { objectMode: false }),
  };
}

/** White space may stand before the colon (RFC 5322 4.5), and be long. */
function isSecret(line: Buffer): boolean {
  const name = line
    .subarray(0, Math.max(line.indexOf(COLON), 0))
    .toString('latin1')
    .trim()
    .toLowerCase();
  return name === 'bcc' || name === 'resent-bcc' || name === 'x-postrider-draft';
}

function lineEnd(source: Buffer, from: number): number {
  const at = source.indexOf(LF, from);
  return at < 0 ? source.length : at + 1;
}

const isBlank = (line: Buffer): boolean => line.every((byte) => byte === CR || byte === LF);
