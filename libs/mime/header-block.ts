const LF = 10;
const CR = 13;
const DASH = 45;

/** Header fields we read, by lower-case name, in order of appearance; values unfolded, one character per byte. */
export type HeaderFields = ReadonlyMap<string, readonly string[]>;

export interface HeaderBlock {
  readonly fields: HeaderFields;
  /** Offset behind the last header line. */
  readonly end: number;
  /** Offset of the first byte of content. */
  readonly contentStart: number;
  /** False when the source ended before the empty line. */
  readonly terminated: boolean;
  /** True when lines beyond the byte limit were not read. */
  readonly cut: boolean;
}

const WANTED = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'return-path',
  'x-failed-recipients',
  'x-postrider-draft',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
]);
const LONGEST_WANTED = 30;

/**
 * Reads a header block once: lines found in the buffer, fields in one string.
 *
 * @param isDelimiter tells whether the line at these offsets is a boundary of an enclosing multipart: a part that
 *   lacks its empty line ends there.
 */
export function readHeaderBlock(
  source: Buffer,
  start: number,
  maxBytes: number,
  isDelimiter?: (lineStart: number, lineEnd: number) => boolean,
): HeaderBlock {
  let at = start;
  let contentStart = -1;
  while (at < source.length) {
    const blank = blankLineLength(source, at);
    if (blank > 0) {
      contentStart = at + blank;
      break;
    }
    const found = source.indexOf(LF, at);
    const next = found < 0 ? source.length : found + 1;
    if (isDelimiter && source[at] === DASH && isDelimiter(at, next)) {
      contentStart = at;
      break;
    }
    at = next;
  }
  const cut = at - start > maxBytes;
  const text = source.toString('latin1', start, cut ? start + maxBytes : at);
  return {
    fields: readFields(text),
    end: at,
    contentStart: contentStart < 0 ? source.length : contentStart,
    terminated: contentStart >= 0,
    cut,
  };
}

/** Bytes of the empty line at an offset, 0 when the line there is not empty. CR CR LF is a line end too. */
function blankLineLength(source: Buffer, at: number): number {
  if (source[at] === LF) return 1;
  if (source[at] !== CR) return 0;
  if (source[at + 1] === LF) return 2;
  return source[at + 1] === CR && source[at + 2] === LF ? 3 : 0;
}

function readFields(text: string): HeaderFields {
  const fields = new Map<string, string[]>();
  let colon = -1;
  for (let at = 0; at < text.length;) {
    let end = endOfLine(text, at);
    while (isBlank(text.charCodeAt(end + 1))) end = endOfLine(text, end + 1);
    if (colon < at) colon = text.indexOf(':', at);
    if (colon < 0) break;
    if (colon < end && colon - at <= LONGEST_WANTED) {
      const name = text.slice(at, colon).trim().toLowerCase();
      if (WANTED.has(name)) {
        const value = unfold(text.slice(colon + 1, end));
        const known = fields.get(name);
        if (known) known.push(value);
        else fields.set(name, [value]);
      }
    }
    at = end + 1;
  }
  return fields;
}

function endOfLine(text: string, at: number): number {
  const found = text.indexOf('\n', at);
  return found < 0 ? text.length : found;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function unfold(value: string): string {
  const line = value.includes('\n') ? value.replace(/\r*\n/g, '') : value;
  return (line.includes('\r') ? line.replaceAll('\r', ' ') : line).trim();
}
