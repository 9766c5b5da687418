import type { Participant } from '#libs/common/participants.js';
import { cleanLine, cutText } from './clean-text.js';
import { decodeHeaderText } from './encoded-words.js';

const MAX_NAME = 1000;
const MAX_EMAIL = 998;
const WORD = /=\?[^?\s]{1,100}\?[bq]\?[^?\s]*\?=/iy;

/**
 * Address lists (RFC 5322 3.4) as strangers write them: groups, comments, missing brackets, semicolons for commas,
 * rubbish behind the address. Order is kept, exact repeats are dropped. Text is split before it is decoded, so an
 * encoded comma never splits a name.
 *
 * @param values unfolded header values, one character per byte, in order of appearance.
 * @param max stop after this many.
 */
export function parseAddressList(values: readonly string[], max: number): { list: Participant[]; cut: boolean } {
  const list: Participant[] = [];
  const seen = new Set<string>();
  for (const value of values) {
    for (const participant of new AddressScanner(value).entries()) {
      const key = `${participant.name}\n${participant.email}`;
      if (seen.has(key)) continue;
      if (list.length >= max) return { list, cut: true };
      seen.add(key);
      list.push(participant);
    }
  }
  return { list, cut: false };
}

class AddressScanner {
  private at = 0;
  private display = '';
  private comment = '';
  private angle: string | null = null;
  /** Once one quote or comment was found to have no end, the others are not searched for theirs: keeps it linear. */
  private unclosedQuote = false;
  private unclosedComment = false;

  constructor(private readonly text: string) {}

  *entries(): Generator<Participant> {
    const { text } = this;
    while (this.at < text.length) {
      const char = text[this.at]!;
      if (char === ',' || char === ';') {
        const entry = this.take();
        this.at += 1;
        if (entry) yield entry;
      } else {
        this.step(char);
      }
    }
    const entry = this.take();
    if (entry) yield entry;
  }

  private step(char: string): void {
    switch (char) {
      case '"':
        this.display += this.quoted();
        return;
      case '(':
        this.comment += `${this.comment === '' ? '' : ' '}${this.commentText()}`;
        return;
      case '<':
        this.angle = this.angleText();
        return;
      case ':':
        // A group's name says nothing about its members; a colon elsewhere is a stray character.
        if (this.angle === null && !this.display.includes('@')) this.display = '';
        this.at += 1;
        return;
      case '>':
        this.at += 1;
        return;
      default:
        this.display += this.run(char);
    }
  }

  private take(): Participant | null {
    const { display, comment, angle } = this;
    this.display = '';
    this.comment = '';
    this.angle = null;
    if (display === '' && comment === '' && angle === null) return null;
    if (angle !== null && angle !== '') return participant(display.trim() || comment, angle);
    const email = display.includes('@') ? findEmail(display) : null;
    if (!email) return participant(display.trim() || comment, '');
    return participant(display.replace(email, ' ').trim() || comment, email);
  }

  /** Plain characters up to the next one that means something; an encoded word is never taken apart. */
  private run(char: string): string {
    const { text } = this;
    const start = this.at;
    if (char === '=' && text[start + 1] === '?') {
      WORD.lastIndex = start;
      const word = WORD.exec(text);
      if (word) {
        this.at = start + word[0].length;
        return word[0];
      }
    }
    let at = start + 1;
    while (at < text.length && !SPECIAL.has(text.charCodeAt(at))) at += 1;
    this.at = at;
    return text.slice(start, at);
  }

  private quoted(): string {
    const { text } = this;
    let at = this.unclosedQuote ? text.length : this.at + 1;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    if (at >= text.length) {
      // No closing quote: the mark means nothing.
      this.unclosedQuote = true;
      this.at += 1;
      return '';
    }
    const inner = text.slice(this.at + 1, at);
    this.at = at + 1;
    // "local part"@example.com needs its quotes; a name does not.
    if (text[this.at] === '@') return `"${inner}"`;
    return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner;
  }

  private commentText(): string {
    const { text } = this;
    const end = (this.unclosedComment ? 0 : this.commentEnd()) || endOfEntry(text, this.at);
    const inner = text
      .slice(this.at + 1, end)
      .replace(/\\(.)/g, '$1')
      .trim();
    this.at = text[end] === ')' ? end + 1 : end;
    return inner;
  }

  /** Offset of the bracket that closes the comment; 0 when there is none. */
  private commentEnd(): number {
    const { text } = this;
    let depth = 0;
    for (let at = this.at; at < text.length; at++) {
      const char = text[at];
      if (char === '\\') at += 1;
      else if (char === '(') depth += 1;
      else if (char === ')' && --depth === 0) return at;
    }
    this.unclosedComment = true;
    return 0;
  }

  private angleText(): string {
    const { text } = this;
    const start = this.at + 1;
    let at = start;
    while (at < text.length && text[at] !== '>' && text[at] !== '<') {
      if (text[at] === '"') {
        const close = text.indexOf('"', at + 1);
        if (close > 0 && close - at < MAX_EMAIL) at = close;
      } else if ((text[at] === ',' || text[at] === ';') && text[start] !== '@') break;
      at += 1;
    }
    this.at = text[at] === '>' ? at + 1 : at;
    const inner = text.slice(start, at);
    // A source route (RFC 822): <@relay,@other:user@example.com>
    return (inner.startsWith('@') ? inner.slice(inner.indexOf(':') + 1) : inner).replace(/\s+/g, '');
  }
}

const SPECIAL = new Set(Array.from('",;:<>()=', (char) => char.charCodeAt(0)));

function endOfEntry(text: string, from: number): number {
  ENTRY_END.lastIndex = from;
  return ENTRY_END.exec(text)?.index ?? text.length;
}

const ENTRY_END = /[,)]/g;

function findEmail(display: string): string | null {
  const quoted = /"[^"]*"@[^\s"]+/.exec(display)?.[0];
  if (quoted) return quoted;
  return display.split(/\s+/).find((word) => word.includes('@') && word.length > 1) ?? null;
}

function participant(rawName: string, rawEmail: string): Participant | null {
  const email = cutText(cleanLine(decodeHeaderText(rawEmail.replace(/^mailto:/i, ''))), MAX_EMAIL).replace(
    /^[[']+|[\]']+$/g,
    '',
  );
  const decoded = cutText(cleanLine(decodeHeaderText(rawName)).replace(/\s+/g, ' '), MAX_NAME);
  const name = decoded.replace(/^'(.*)'$/, '$1').trim();
  if (name === '' && email === '') return null;
  return { name: name === email ? '' : name, email };
}
