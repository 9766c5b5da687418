import { decodeEntities } from './html-entities.js';

const MAX_SNIPPET = 191;
/** A beginning longer than this without any text is not worth more time. */
const MAX_SCANNED = 1_000_000;
const PIECE = 1024;

/** Elements whose content is not shown. */
const UNSEEN = new Set(['title', 'script', 'style', 'head', 'template', 'noscript']);
/** Elements that part words. */
const BLOCKS = new Set(
  (
    'address article aside blockquote body br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 ' +
    'h6 header hr html img li main nav ol option p pre section select table tbody td tfoot th thead tr ul'
  ).split(' '),
);

/** The beginning of a plain text: at most 191 characters, white space folded. */
export function snippetOfText(text: string): string {
  const snippet = new SnippetBuilder();
  const stop = Math.min(text.length, MAX_SCANNED);
  for (let at = 0; at < stop && !snippet.full;) {
    const end = pieceEnd(text, at, stop);
    snippet.add(text.slice(at, end));
    at = end;
  }
  return snippet.toString();
}

/** The beginning of what an HTML document shows. Reads no further than it must. */
export function snippetOfHtml(html: string): string {
  const snippet = new SnippetBuilder();
  const scanner = new TagScanner(html);
  const stop = Math.min(html.length, MAX_SCANNED);
  for (let at = 0; at < stop && !snippet.full;) {
    const found = html.indexOf('<', at);
    const textEnd = found < 0 ? html.length : found;
    while (at < textEnd && !snippet.full) {
      const end = pieceEnd(html, at, textEnd);
      snippet.add(decodeEntities(html.slice(at, end)));
      at = end;
    }
    if (found < 0) break;
    const tag = scanner.read(found);
    if (tag.text) snippet.add('<');
    else if (tag.block) snippet.add(' ');
    at = tag.end;
  }
  return snippet.toString();
}

/** Pieces part neither an entity nor a pair of surrogates. */
function pieceEnd(text: string, from: number, stop: number): number {
  const end = from + PIECE;
  if (end >= stop) return stop;
  const entity = text.lastIndexOf('&', end);
  if (entity > end - 12) return entity;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

interface Tag {
  readonly end: number;
  readonly block: boolean;
  /** A less-than sign that opens nothing. */
  readonly text: boolean;
}

export class TagScanner {
  /** What was searched for in vain once need not be searched for again: keeps hostile input linear. */
  private readonly absent = new Set<string>();

  constructor(private readonly html: string) {}

  read(start: number): Tag {
    const { html } = this;
    if (html.startsWith('<!--', start)) return { end: this.after('-->', start + 4), block: false, text: false };
    const next = html[start + 1] ?? '';
    if (!/[a-z/!?]/i.test(next)) return { end: start + 1, block: false, text: true };
    TAG_NAME.lastIndex = start + 1;
    const name = TAG_NAME.exec(html)?.[1]?.toLowerCase() ?? '';
    const end = this.tagEnd(start + 1);
    if (next !== '/' && UNSEEN.has(name) && html[end - 2] !== '/') {
      return { end: this.afterElement(name, end), block: true, text: false };
    }
    return { end, block: BLOCKS.has(name), text: false };
  }

  /** Behind the closing bracket, which does not count inside a quoted attribute value. */
  private tagEnd(from: number): number {
    const { html } = this;
    let at = from;
    for (;;) {
      ATTRIBUTE_STOP.lastIndex = at;
      const stop = ATTRIBUTE_STOP.exec(html);
      if (!stop) return html.length;
      at = ATTRIBUTE_STOP.lastIndex;
      if (stop[0] === '>') return at;
      const quote = stop[0].at(-1)!;
      const closing = this.absent.has(quote) ? -1 : html.indexOf(quote, at);
      if (closing < 0) this.absent.add(quote);
      else at = closing + 1;
    }
  }

  private afterElement(name: string, from: number): number {
    if (this.absent.has(name)) return from;
    const pattern = new RegExp(`</${name}[\\s/>]`, 'gi');
    pattern.lastIndex = from;
    if (pattern.exec(this.html)) return this.after('>', pattern.lastIndex - 1);
    this.absent.add(name);
    // Browsers swallow everything behind an open style or script, yet show what follows an open head.
    return name === 'script' || name === 'style' || name === 'title' ? this.html.length : from;
  }

  private after(what: string, from: number): number {
    const found = this.html.indexOf(what, from);
    return found < 0 ? this.html.length : found + what.length;
  }
}

const TAG_NAME = /\/?([a-z][a-z0-9]{0,15})/iy;
const ATTRIBUTE_STOP = />|=\s{0,20}["']/g;

/** Takes visible characters until it has enough. */
class SnippetBuilder {
  full = false;
  private result = '';
  private space = false;
  private joiner = '';

  add(text: string): void {
    for (const char of text) {
      const code = char.codePointAt(0)!;
      if (code > 0x20 && code < 0x7f) this.push(char);
      else if (isSpace(code)) this.space = true;
      else if (code === 0x200c || code === 0x200d) this.joiner = char;
      else if (!isInvisible(code)) this.push(char);
      if (this.full) return;
    }
  }

  toString(): string {
    return this.result;
  }

  private push(char: string): void {
    const between = this.result === '' ? '' : this.space ? ' ' : this.joiner;
    if (this.result.length + between.length + char.length > MAX_SNIPPET) {
      this.full = true;
      return;
    }
    this.result += between + char;
    this.space = false;
    this.joiner = '';
  }
}

function isSpace(code: number): boolean {
  return (
    code <= 0x20 ||
    code === 0x7f ||
    (code >= 0x80 && code <= 0xa0) ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x2800 ||
    code === 0x3000 ||
    code === 0x1680
  );
}

/** Characters that pad preview texts and show nothing, and halves of a pair. */
function isInvisible(code: number): boolean {
  return (
    code === 0xad ||
    code === 0x34f ||
    code === 0x61c ||
    code === 0x115f ||
    code === 0x1160 ||
    (code >= 0x17b4 && code <= 0x17b5) ||
    (code >= 0x180b && code <= 0x180e) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0x3164 ||
    code === 0xfeff ||
    code === 0xffa0 ||
    (code >= 0xfff0 && code <= 0xfffb) ||
    (code >= 0xd800 && code <= 0xdfff)
  );
}
