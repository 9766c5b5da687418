/** Longer ones are cut: encoded data, mostly. */
const MOST_CHARACTERS = 64;

const WORDS = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu;
const ASCII_WORDS = /[a-z0-9]+/g;
// oxlint-disable-next-line no-control-regex -- the range is ASCII
const ASCII = /^[\x00-\x7f]*$/;

/** Accents of Latin, Greek and Cyrillic letters; points of Hebrew and Arabic. In other scripts marks are letters. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]/g;

/** Letters that decompose into nothing, as they are written without them. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
  ς: 'σ',
};
const ODD_LETTERS = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');

/** Scripts that put no blanks between words, or so much into one that nobody searches for all of it. */
const UNPARTED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]+/gu;

/**
 * A word to search for. `start`: words that begin so. What was one run of letters of an unparted script is pairs of
 * characters.
 */
export interface Word {
  readonly text: string;
  readonly start?: true;
}

/** Letters as they are compared: without case, accents and variants of width. */
export function folded(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(ODD_LETTERS, (letter) => PLAIN[letter] ?? letter);
}

/**
 * The words of a text that is searched, in their order.
 * @param take is told of each; `beside`: it stands where the one before does
 */
export function eachWord(text: string, take: (word: string, beside: boolean) => void): void {
  for (const run of split(text)) {
    if (!run.unparted) take(run.text, false);
    else for (const [at, pair] of pairs(run.text).entries()) take(pair, at > 0 && isLone(pair));
  }
}

/** The words of a text that is searched for, in their order. A lone character of an unparted script begins a pair. */
export function wantedWords(text: string): Word[] {
  return split(text).flatMap((run): Word[] => {
    if (!run.unparted) return [{ text: run.text }];
    const found = pairs(run.text);
    // The last is the lone end of the run, which inside of a longer text is none.
    return found.length === 1 ? [{ text: run.text, start: true }] : found.slice(0, -1).map((pair) => ({ text: pair }));
  });
}

interface Run {
  readonly text: string;
  readonly unparted: boolean;
}

function split(text: string): Run[] {
  const plain = folded(text);
  const words = plain.match(ASCII.test(plain) ? ASCII_WORDS : WORDS) ?? [];
  return words.flatMap((word) => (ASCII.test(word) ? [whole(word)] : parts(word)));
}

const whole = (text: string): Run => ({ text: cut(text), unparted: false });

function parts(word: string): Run[] {
  const runs: Run[] = [];
  let at = 0;
  for (const found of word.matchAll(UNPARTED)) {
    if (found.index > at) runs.push(whole(word.slice(at, found.index)));
    runs.push({ text: found[0], unparted: true });
    at = found.index + found[0].length;
  }
  if (at < word.length) runs.push(whole(word.slice(at)));
  return runs;
}

/** `日本語`: 日本, 本語 and 語. The last one lets it be found by itself. */
function pairs(run: string): string[] {
  const characters = Array.from(run);
  return characters.map((character, at) => character + (characters[at + 1] ?? ''));
}

const isLone = (pair: string): boolean => Array.from(pair).length === 1;

/** Between two halves of a surrogate pair no text may end. */
function cut(word: string): string {
  if (word.length <= MOST_CHARACTERS) return word;
  const end = word.charCodeAt(MOST_CHARACTERS - 1) >> 10 === 0x36 ? MOST_CHARACTERS - 1 : MOST_CHARACTERS;
  return word.slice(0, end);
}
