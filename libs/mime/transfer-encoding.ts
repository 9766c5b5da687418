const LF = 10;
const CR = 13;
const EQUALS = 61;

const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i++) HEX[48 + i] = i;
for (let i = 0; i < 6; i++) HEX[65 + i] = HEX[97 + i] = 10 + i;

const BASE64 = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') BASE64[char.charCodeAt(0)] = 1;

/** Undoes a Content-Transfer-Encoding (lower case); an unknown one is taken for none. */
export function decodeTransfer(content: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return decodeBase64(content);
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(content);
  return content;
}

/** Decoded size in bytes, without decoding. */
export function decodedSize(content: Buffer, encoding: string): number {
  if (encoding === 'base64') return Math.floor((countBase64(content) * 3) / 4);
  if (encoding === 'quoted-printable') return countQuotedPrintable(content);
  return content.length;
}

/** Decoded size guessed from the transferred size alone: 76 characters and a CRLF per 57 bytes of base64. */
export function estimatedSize(transferred: number, encoding: string): number {
  return encoding === 'base64' ? Math.floor((transferred * 57) / 78) : transferred;
}

/** Node stops at the first padding; senders that encode piece by piece leave some in the middle. */
export function decodeBase64(content: Buffer): Buffer {
  const text = content.toString('latin1');
  const padding = text.indexOf('=');
  if (padding < 0 || !/[^=\s]/.test(text.slice(padding))) return Buffer.from(text, 'base64');
  const result = Buffer.allocUnsafe(Math.ceil((text.length * 3) / 4) + 3);
  let length = 0;
  for (let start = 0; start < text.length;) {
    const found = text.indexOf('=', start);
    const end = found < 0 ? text.length : found;
    if (end > start) length += result.write(text.slice(start, end), length, 'base64');
    start = end + 1;
  }
  return result.subarray(0, length);
}

/** RFC 2045 6.7. An equals sign that starts nothing sensible is kept as it is. */
export function decodeQuotedPrintable(content: Buffer): Buffer {
  let from = content.indexOf(EQUALS);
  if (from < 0) return content;
  const result = Buffer.allocUnsafe(content.length);
  let length = content.copy(result, 0, 0, from);
  const end = content.length;
  while (from < end) {
    const byte = content[from]!;
    if (byte !== EQUALS) {
      result[length++] = byte;
      from += 1;
      continue;
    }
    const high = HEX[content[from + 1] ?? 0]!;
    const low = HEX[content[from + 2] ?? 0]!;
    if (high >= 0 && low >= 0) {
      result[length++] = high * 16 + low;
      from += 3;
      continue;
    }
    const next = afterSoftBreak(content, from + 1);
    if (next > 0) {
      from = next;
    } else {
      result[length++] = byte;
      from += 1;
    }
  }
  return result.subarray(0, length);
}

/** Where the next line starts when only white space stands between `=` and the line end; 0 otherwise. */
function afterSoftBreak(content: Buffer, from: number): number {
  let at = from;
  // More white space than any transport adds is no soft break; the bound keeps hostile input linear.
  const stop = Math.min(content.length, from + 80);
  while (at < stop && (content[at] === 32 || content[at] === 9 || content[at] === CR)) at += 1;
  if (at >= content.length) return content.length;
  return content[at] === LF ? at + 1 : 0;
}

function countQuotedPrintable(content: Buffer): number {
  let count = content.length;
  for (let at = content.indexOf(EQUALS); at >= 0;) {
    let next = at + 1;
    if (HEX[content[at + 1] ?? 0]! >= 0 && HEX[content[at + 2] ?? 0]! >= 0) {
      next = at + 3;
      count -= 2;
    } else {
      const line = afterSoftBreak(content, at + 1);
      if (line > 0) {
        count -= line - at;
        next = line;
      }
    }
    at = next >= content.length ? -1 : content.indexOf(EQUALS, next);
  }
  return count;
}

/** Characters of the base64 alphabet. Lines of one length, the usual case, are counted without looking at each. */
function countBase64(content: Buffer): number {
  const firstBreak = content.indexOf(LF);
  if (firstBreak > 0) {
    const line = firstBreak + 1;
    let lines = 1;
    while ((lines + 1) * line <= content.length && content[(lines + 1) * line - 1] === LF) lines += 1;
    if (content.length - lines * line <= line) {
      const last = (lines - 1) * line;
      return countAlphabet(content.subarray(0, firstBreak)) * (lines - 1) + countAlphabet(content.subarray(last));
    }
  }
  return countAlphabet(content);
}

function countAlphabet(content: Buffer): number {
  let count = 0;
  for (let i = 0; i < content.length; i++) count += BASE64[content[i]!]!;
  return count;
}
