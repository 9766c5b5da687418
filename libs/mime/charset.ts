import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

type Decode = (bytes: Buffer) => string;

/** Labels seen in mail that neither the WHATWG table nor iconv-lite spells the same way. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['utf-8mb4', 'utf-8'],
  ['utf8mb4', 'utf-8'],
  ['utf_8', 'utf-8'],
  ['cp65001', 'utf-8'],
  ['utf-8-sig', 'utf-8'],
  ['unicode-1-1-utf-7', 'utf-7'],
  ['x-unicode-2-0-utf-7', 'utf-7'],
  ['cp932', 'shift_jis'],
  ['ms932', 'shift_jis'],
  ['shift-jis', 'shift_jis'],
  ['shift_jisx0213', 'shift_jis'],
  ['cp50220', 'iso-2022-jp'],
  ['cp50221', 'iso-2022-jp'],
  ['cp50222', 'iso-2022-jp'],
  ['iso-2022-jp-1', 'iso-2022-jp'],
  ['iso-2022-jp-2', 'iso-2022-jp'],
  ['iso-2022-jp-3', 'iso-2022-jp'],
  ['iso-2022-jp-ms', 'iso-2022-jp'],
  ['eucjp-ms', 'euc-jp'],
  ['cp949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['cp936', 'gb18030'],
  ['ms936', 'gb18030'],
  ['gb2312-80', 'gb18030'],
  ['gb-2312', 'gb18030'],
  ['gb_2312', 'gb18030'],
  ['gb18030-2000', 'gb18030'],
  ['cp950', 'big5'],
  ['big-5', 'big5'],
  ['koi8r', 'koi8-r'],
  ['cp20866', 'koi8-r'],
  ['ansi', 'windows-1252'],
  ['iso-8859-1-windows-3.1-latin-1', 'windows-1252'],
  ['8859-1', 'windows-1252'],
  ['iso-ir-6', 'windows-1252'],
  ['macroman', 'macintosh'],
  ['x-mac-latin2', 'x-mac-ce'],
]);

/** Labels that say "we do not know": as good as none. ASCII is one of them once there are bytes above 127. */
const NO_CHARSET = new Set(['', 'unknown', 'x-unknown', 'unknown-8bit', '8bit', 'x-user-defined', 'default', 'binary']);
const ASCII = new Set(['us-ascii', 'ascii', 'ansi_x3.4-1968', '646', 'iso646-us', 'iso-ir-6', 'us']);
/** Charsets in which bytes below 128 may mean something else than ASCII. */
const NOT_ASCII = /^(utf-?7|utf-?16|utf-?32|ucs|iso-2022|hz|csiso2022|cp37|ebcdic|ibm|unicode)/;
/** Charsets whose state is reset at the end of each encoded word, which must hence be decoded one by one. */
const STATEFUL = /^(iso-2022|csiso2022|cp5022|hz|utf-?7|unicode-1-1-utf-7)/;

const WINDOWS_1252_HIGH =
  '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F' +
  '\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

const decoders = new Map<string, Decode | null>();
/** Labels come from strangers: beyond this many the table is started over. */
const MAX_CACHED = 500;

/** Lower case, no quotes, no RFC 2231 language, no comment. */
export function charsetLabel(declared: string): string {
  const label = declared.toLowerCase().replace(/["']/g, '').trim();
  const end = label.search(/[\s*(;,]/);
  const bare = end < 0 ? label : label.slice(0, end);
  return ALIASES.get(bare) ?? bare;
}

export function isStateful(label: string): boolean {
  return STATEFUL.test(label);
}

/** Raw bytes without any declaration, as in unencoded headers: UTF-8 if they are, else windows-1252. */
export function decodeUndeclared(bytes: Buffer): string {
  if (bytes.includes(ISO_2022_JP_SHIFT)) return decoderOf('iso-2022-jp')!(bytes);
  return isUtf8(bytes) ? stripBom(bytes.toString('utf8')) : decodeWindows1252(bytes);
}

/** Bytes by a declared label; null when the label is unknown or says nothing. */
export function decodeDeclared(bytes: Buffer, declared: string): string | null {
  const label = charsetLabel(declared);
  if (isAscii(bytes) && !NOT_ASCII.test(label) && !bytes.includes(0x1b)) return bytes.toString('latin1');
  if (NO_CHARSET.has(label) || ASCII.has(label)) return null;
  if (label === 'utf-8' || label === 'utf8') return decodeUtf8(bytes);
  return decoderOf(label)?.(bytes) ?? null;
}

/** Text of a body part: the declared charset, else the one its HTML names, else UTF-8 if valid, else windows-1252. */
export function decodeBodyText(bytes: Buffer, declared: string | null, html: boolean): string {
  const named = declared === null ? null : decodeDeclared(bytes, declared);
  if (named !== null) return named;
  const meta = html ? metaCharset(bytes) : null;
  return (meta === null ? null : decodeDeclared(bytes, meta)) ?? decodeUndeclared(bytes);
}

const ISO_2022_JP_SHIFT = Buffer.from('\x1b$');
const META_CHARSET = /<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})/i;

function metaCharset(bytes: Buffer): string | null {
  const label = META_CHARSET.exec(bytes.toString('latin1', 0, 4096))?.[1]?.toLowerCase() ?? null;
  // A document that can be read byte by byte up to its meta tag is not UTF-16, whatever the tag says.
  return label?.startsWith('utf-16') ? 'utf-8' : label;
}

/** Null when the bytes are clearly something else: broken sequences and not one good one above ASCII. */
function decodeUtf8(bytes: Buffer): string | null {
  const text = stripBom(bytes.toString('utf8'));
  return isUtf8(bytes) || NON_ASCII_BUT_BROKEN.test(text) ? text : null;
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const NON_ASCII_BUT_BROKEN = /[^\0-\x7F\uFFFD]/;

function decoderOf(label: string): Decode | null {
  const known = decoders.get(label);
  if (known !== undefined) return known;
  if (decoders.size >= MAX_CACHED) decoders.clear();
  const made = makeDecoder(label);
  decoders.set(label, made);
  return made;
}

function makeDecoder(label: string): Decode | null {
  if (label === 'iso-2022-kr') return (bytes) => decoderOf('euc-kr')!(unshift(bytes, 0x0e, 0x0f, false));
  if (label === 'hz-gb-2312' || label === 'hz')
    return (bytes) => decoderOf('gb18030')!(unshift(bytes, 0x7b, 0x7d, true));
  // Without a byte order mark the WHATWG decoder takes little-endian for granted; iconv-lite looks.
  if (label === 'utf-16') return (bytes) => iconv.decode(bytes, 'utf-16');
  try {
    const decoder = new TextDecoder(label);
    return decoder.encoding === 'windows-1252' ? decodeWindows1252 : (bytes) => decoder.decode(bytes);
  } catch {
    // Not a WHATWG label: UTF-7, UTF-32, code pages, Mac scripts are left to iconv-lite.
    return iconv.encodingExists(label) && !INTERNAL.has(label) ? (bytes) => iconv.decode(bytes, label) : null;
  }
}

/** Names under which iconv-lite offers things that are no charsets. */
const INTERNAL = new Set(['base64', 'hex', 'utf7imap', 'utf-7-imap']);

function decodeWindows1252(bytes: Buffer): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return bytes.toString('latin1').replace(/[\x80-\x9F]/g, (char) => WINDOWS_1252_HIGH[char.charCodeAt(0) - 0x80]!);
}

function stripBom(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * Turns the 7-bit double-byte charsets (ISO-2022-KR, RFC 1557; HZ, RFC 1843) into their 8-bit relatives: bytes between
 * the shift marks get their high bit. HZ marks are preceded by a tilde.
 */
function unshift(bytes: Buffer, into: number, out: number, tilde: boolean): Buffer {
  const result = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let shifted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const mark = !tilde ? byte : byte === 0x7e ? bytes[i + 1] : -1;
    if (mark === into || mark === out) {
      shifted = mark === into;
      if (tilde) i += 1;
    } else if (tilde && byte === 0x7e && !shifted) {
      if (bytes[i + 1] === 0x7e) result[length++] = 0x7e;
      i += 1;
    } else if (!tilde && byte === 0x1b && bytes[i + 1] === 0x24 && bytes[i + 2] === 0x29) {
      i += 3;
    } else {
      result[length++] = shifted && byte > 0x20 ? byte | 0x80 : byte;
    }
  }
  return result.subarray(0, length);
}
