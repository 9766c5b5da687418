import { charsetLabel, decodeDeclared, decodeUndeclared, isStateful } from './charset.js';
import { cleanText } from './clean-text.js';
import { decodeBase64 } from './transfer-encoding.js';

/**
 * Header text: encoded words (RFC 2047) and raw bytes (RFC 6532, or worse) to a string.
 *
 * @param raw an unfolded header value, one character per byte.
 */
export function decodeHeaderText(raw: string): string {
  const words = raw.includes('=?') ? decodeWords(raw) : decodeRaw(raw);
  return cleanText(words);
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const BEYOND_ASCII = /[\x1B\x80-\xFF]/;
// Blanks inside the text are forbidden, yet common with Q.
const WORD = /=\?([^?\s]{1,100})\?([bq])\?([^?]*(?:\?(?!=)[^?]*){0,5})\?=/gi;

interface Word {
  readonly charset: string;
  readonly base64: boolean;
  readonly text: string;
}

export function decodeRaw(raw: string): string {
  return BEYOND_ASCII.test(raw) ? decodeUndeclared(Buffer.from(raw, 'latin1')) : raw;
}

function decodeWords(raw: string): string {
  let result = '';
  let end = 0;
  let run: Word[] = [];
  for (const match of raw.matchAll(WORD)) {
    const between = raw.slice(end, match.index);
    // White space between two encoded words is not part of the text.
    if (run.length === 0 || between.trim() !== '') {
      result += decodeRun(run) + decodeRaw(between);
      run = [];
    }
    run.push({ charset: charsetLabel(match[1]!), base64: match[2] === 'b' || match[2] === 'B', text: match[3]! });
    end = match.index + match[0].length;
  }
  return result + decodeRun(run) + decodeRaw(raw.slice(end));
}

/**
 * Senders cut words inside a character, so neighbours in one charset are joined before decoding; but where each word
 * has a shift state of its own (ISO-2022-JP), they are decoded one by one.
 */
function decodeRun(run: readonly Word[]): string {
  let result = '';
  for (let i = 0; i < run.length;) {
    const { charset } = run[i]!;
    let j = i + 1;
    if (!isStateful(charset)) while (j < run.length && run[j]!.charset === charset) j += 1;
    const bytes = wordBytes(run.slice(i, j));
    result += decodeDeclared(bytes, charset) ?? decodeUndeclared(bytes);
    i = j;
  }
  return result;
}

function wordBytes(words: readonly Word[]): Buffer {
  const pieces: Buffer[] = [];
  let pending = '';
  for (const word of words) {
    if (!word.base64) {
      if (pending !== '') pieces.push(fromBase64(pending));
      pending = '';
      pieces.push(decodeQ(word.text));
      continue;
    }
    pending += word.text;
    // A group of four characters may itself be cut by a careless sender.
    if (pending.endsWith('=') || pending.length % 4 === 0) {
      pieces.push(fromBase64(pending));
      pending = '';
    }
  }
  if (pending !== '') pieces.push(fromBase64(pending));
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function fromBase64(text: string): Buffer {
  return decodeBase64(Buffer.from(text, 'latin1'));
}

function decodeQ(text: string): Buffer {
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
