import { parseMessage } from '#libs/mime/parse-message.js';
import type { ParsedMessage } from '#libs/mime/parsed-message.js';

import { ownMessageId } from '../messages/own-message-id.js';

/** A message that a caller wrote down to the last byte, made fit to be sent. */
export interface RawMessage {
  readonly source: Buffer;
  readonly parsed: ParsedMessage;
  readonly messageIdHeader: string;
}

/**
 * Message-ID and Date are put in front where they are missing, and every line ends in CRLF, as SMTP wants it: what is a
 * header line to one reader must be one to all. Nothing else is changed.
 */
export function rawMessage(bytes: Buffer, id: string, now: Date): RawMessage {
  const given = withCrlf(bytes);
  const parsed = parse(given);
  const { messageIdHeader, from, date } = parsed.headers;
  const known = messageIdHeader ?? ownMessageId(id, 0, from[0]?.email ?? '');
  const added = [
    ...(messageIdHeader === null ? [`Message-ID: <${known}>\r\n`] : []),
    ...(date === null ? [`Date: ${now.toUTCString().replace('GMT', '+0000')}\r\n`] : []),
  ];
  return { source: Buffer.concat([Buffer.from(added.join('')), given]), parsed, messageIdHeader: known };
}

const withCrlf = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(/\r\n|\r|\n/g, '\r\n'), 'latin1');

const parse = (source: Buffer): ParsedMessage =>
  parseMessage({ source, complete: true, structure: null, textParts: new Map() });
