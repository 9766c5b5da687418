import { decodeDeclared, decodeUndeclared } from './charset.js';
import { cleanLine } from './clean-text.js';
import { decodeHeaderText } from './encoded-words.js';

export interface ContentField {
  /** Lower case, without comments: `text/html`, `attachment`; '' when missing. */
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Segment {
  readonly index: number;
  /** Percent-encoded, with a charset in the first segment (RFC 2231 4). */
  readonly extended: boolean;
  readonly text: string;
}

const MAX_PARAMETERS = 200;
const NO_FIELD: ContentField = { value: '', parameters: new Map() };

/**
 * Content-Type or Content-Disposition, with every breakage seen in the wild: no semicolons, unquoted blanks, missing
 * closing quotes, encoded words where RFC 2231 belongs.
 *
 * @param raw an unfolded header value, one character per byte.
 */
export function parseContentField(raw: string | undefined): ContentField {
  if (raw === undefined) return NO_FIELD;
  const text = raw.trimStart();
  const found = text.search(/[;\s(]/);
  const end = found < 0 ? text.length : found;
  return { value: text.slice(0, end).toLowerCase(), parameters: decodeParameters(readParameters(text, end)) };
}

function readParameters(text: string, from: number): Map<string, Segment[]> {
  const segments = new Map<string, Segment[]>();
  let at = from;
  for (let count = 0; at < text.length && count < MAX_PARAMETERS; count++) {
    while (at < text.length && ' \t;,'.includes(text[at]!)) at += 1;
    const nameStart = at;
    while (at < text.length && text[at] !== '=' && text[at] !== ';') at += 1;
    if (text[at] !== '=') continue;
    // A comment, or a word without a value, may stand before the name.
    const name = text
      .slice(nameStart, at)
      .trim()
      .split(/[\s)]+/)
      .at(-1)!
      .toLowerCase();
    at += 1;
    while (text[at] === ' ' || text[at] === '\t') at += 1;
    const value = text[at] === '"' ? quotedValue(text, at) : plainValue(text, at);
    at = value.end;
    if (name !== '') addSegment(segments, name, value.text);
  }
  return segments;
}

function addSegment(segments: Map<string, Segment[]>, name: string, text: string): void {
  const parts = /^([^*]+)\*(\d{1,4})?(\*)?$/.exec(name);
  const base = parts?.[1] ?? name;
  const segment: Segment = {
    index: parts?.[2] === undefined ? -1 : Number(parts[2]),
    extended: parts !== null && (parts[2] === undefined || parts[3] !== undefined),
    text,
  };
  const known = segments.get(base);
  if (known) known.push(segment);
  else segments.set(base, [segment]);
}

interface RawValue {
  readonly text: string;
  readonly end: number;
}

function quotedValue(text: string, quote: number): RawValue {
  let at = quote + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  if (at >= text.length) return plainValue(text, quote + 1);
  // A backslash that escapes nothing is one: C:\scan\a.pdf
  return { text: text.slice(quote + 1, at).replace(/\\(["\\])/g, '$1'), end: at + 1 };
}

function plainValue(text: string, start: number): RawValue {
  const found = text.indexOf(';', start);
  const end = found < 0 ? text.length : found;
  return { text: text.slice(start, end).trim(), end };
}

function decodeParameters(segments: ReadonlyMap<string, readonly Segment[]>): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, all] of segments) parameters.set(name, decodeParameter(all));
  return parameters;
}

function decodeParameter(all: readonly Segment[]): string {
  const single = all.find((segment) => segment.index < 0 && segment.extended);
  if (single) return decodeExtended([single]);
  const numbered = all.filter((segment) => segment.index >= 0).toSorted((a, b) => a.index - b.index);
  if (numbered.some((segment) => segment.extended)) return decodeExtended(numbered);
  const plain = numbered.length > 0 ? numbered.map((segment) => segment.text).join('') : all[0]!.text;
  // Extended syntax under a plain name.
  if (/^[\w-]{3,20}''.*%[0-9a-f]{2}/i.test(plain)) return decodeExtended([{ index: 0, extended: true, text: plain }]);
  return decodeHeaderText(plain);
}

function decodeExtended(segments: readonly Segment[]): string {
  let charset: string | null = null;
  const bytes = segments.map(({ extended, text }) => {
    if (!extended) return text;
    const declared = charset === null ? /^([^']*)'[^']*'/.exec(text) : null;
    charset ??= declared?.[1] ?? null;
    return percentDecode(declared ? text.slice(declared[0].length) : text);
  });
  const value = Buffer.from(bytes.join(''), 'latin1');
  const decoded = (charset === null ? null : decodeDeclared(value, charset)) ?? decodeUndeclared(value);
  return decoded.includes('=?') ? decodeHeaderText(bytes.join('')) : decoded;
}

function percentDecode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const MAX_FILENAME = 255;

/** One line, at most 255 characters, cut before the extension. Null when nothing is left. */
export function cleanFilename(name: string | undefined): string | null {
  if (name === undefined) return null;
  const line = cleanLine(name);
  if (line.length <= MAX_FILENAME) return line === '' ? null : line;
  const characters = Array.from(line.length > 4096 ? line.slice(0, 2048) + line.slice(-2048) : line);
  if (characters.length <= MAX_FILENAME) return line;
  const dot = characters.lastIndexOf('.');
  const extension = dot > 0 && characters.length - dot <= 20 ? characters.slice(dot) : [];
  return cleanLine([...characters.slice(0, MAX_FILENAME - extension.length), ...extension].join(''));
}
