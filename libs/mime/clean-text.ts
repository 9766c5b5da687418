/** PostgreSQL text and jsonb cannot hold U+0000, nor can UTF-8 hold half a surrogate pair: both are left out. */
export function cleanText(text: string): string {
  return UNSTORABLE_HINT.test(text) ? text.replace(UNSTORABLE, '') : text;
}

const UNSTORABLE_HINT = /[\0\uD800-\uDFFF]/;
// With the u flag a pair is one character, so the class matches halves only.
const UNSTORABLE = /[\0\uD800-\uDFFF]/gu;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\0-\x1F\x7F\x85\u2028\u2029]+/g;

/** The same on one line: control characters and line breaks become one space, ends are trimmed. */
export function cleanLine(text: string): string {
  return cleanText(text.replace(CONTROLS, ' ')).trim();
}

/** At most `length` UTF-16 units, never half a character. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
