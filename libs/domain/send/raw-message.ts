import { InvalidRequest } from '#libs/common/errors.js';
import { parseMessage } from '#libs/mime/parse-message.js';
import type { ParsedHeaders } from '#libs/mime/parsed-message.js';
import { splitHeader } from '#libs/mime/split-header.js';

import { ownMessageId } from '../messages/own-message-id.js';

/** A message that a caller wrote down to the last byte, made fit to be sent. */
export interface RawMessage {
  readonly headers: ParsedHeaders;
  readonly messageIdHeader: string;
  /** Read once, to its end, or returned. */
  readonly chunks: AsyncGenerator<Buffer>;
}

const MOST_HEADER = 1_048_576;
const ODD_LINE_END = /(?:^|[^\r])\n|\r(?!\n)/;

/**
 * Message-ID and Date are put in front where they are missing, and every line ends in CRLF, as SMTP wants it: what is a
 * header line to one reader must be one to all. Nothing else is changed. Only the header has been read then.
 * @throws InvalidRequest when it has no end
 */
export async function rawMessage(given: AsyncIterable<Buffer>, id: string, now: Date): Promise<RawMessage> {
  const split = await splitHeader(withCrlf(given), MOST_HEADER);
  if (!split) throw new InvalidRequest(`The header of the message is longer than ${MOST_HEADER} bytes`);
  const { header, rest } = split;
  const { headers } = parseMessage({ source: header, complete: false, structure: null, textParts: new Map() });
  const { messageIdHeader, from, date } = headers;
  const known = messageIdHeader ?? ownMessageId(id, 0, from[0]?.email ?? '');
  const added = [
    ...(messageIdHeader === null ? [`Message-ID: <${known}>\r\n`] : []),
    ...(date === null ? [`Date: ${now.toUTCString().replace('GMT', '+0000')}\r\n`] : []),
  ];
  return { headers, messageIdHeader: known, chunks: inOrder(Buffer.from(added.join('')), header, rest) };
}

async function* inOrder(added: Buffer, header: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield added;
  yield header;
  yield* rest;
}

async function* withCrlf(given: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held = '';
  for await (const chunk of given) {
    const text = held + chunk.toString('latin1');
    // The other half of it may come with the next chunk.
    const cut = text.endsWith('\r');
    if (held === '' && !cut && !ODD_LINE_END.test(text)) yield chunk;
    else yield lines(cut ? text.slice(0, -1) : text);
    held = cut ? '\r' : '';
  }
  if (held !== '') yield lines(held);
}

const lines = (text: string): Buffer => Buffer.from(text.replaceAll(/\r\n|\r|\n/g, '\r\n'), 'latin1');
