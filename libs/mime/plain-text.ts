import { cutText } from './clean-text.js';

/** Undoes format=flowed (RFC 3676): lines that end in a blank go on in the next one of the same quote depth. */
export function unflow(text: string, deleteSpace: boolean): string {
  const result: string[] = [];
  let paragraph: string[] = [];
  let depth = 0;
  const flush = (): void => {
    if (paragraph.length > 0) result.push(quotePrefix(depth) + paragraph.join(''));
    paragraph = [];
  };
  for (const line of text.split('\n')) {
    const quotes = quoteDepth(line);
    // A blank after the quote marks only protects what follows (space-stuffing).
    const content = line.slice(line.charCodeAt(quotes) === 32 ? quotes + 1 : quotes);
    const signature = content === '-- ';
    if (quotes !== depth || signature) flush();
    depth = quotes;
    const flowed = !signature && content.endsWith(' ');
    paragraph.push(flowed && deleteSpace ? content.slice(0, -1) : content);
    if (!flowed) flush();
  }
  flush();
  return result.join('\n');
}

function quoteDepth(line: string): number {
  let depth = 0;
  while (line.charCodeAt(depth) === 62) depth += 1;
  return depth;
}

function quotePrefix(depth: number): string {
  return depth === 0 ? '' : `${'>'.repeat(depth)} `;
}

// One pass for both: what must be escaped, and bare addresses of web pages.
const MARKUP = /[&<>"]|\bhttps?:\/\/[^\s<>"\u0080-\u00A0]+/gi;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A link repeats its address, in which every character may need five. */
const WORST_GROWTH = 12;
const MARKUP_PER_LINE = 15;

/**
 * Plain text as HTML: blank lines part paragraphs, line ends become `<br>`, web addresses become links.
 *
 * @param maxChars stop before the line that would exceed this.
 */
export function textToHtml(text: string, maxChars: number): { html: string; cut: boolean } {
  const pieces: string[] = [];
  let length = 0;
  let inParagraph = false;
  for (const line of text.trimEnd().split('\n')) {
    if (line.trim() === '') {
      if (inParagraph) pieces.push('</p>\n');
      inParagraph = false;
      continue;
    }
    const room = maxChars - length;
    const markedUp = markUp(line.length > room ? cutText(line, Math.max(room, 0)) : line);
    length += markedUp.length + MARKUP_PER_LINE;
    if (length > maxChars) {
      const start = markUp(cutText(line, Math.max(0, Math.floor(room / WORST_GROWTH) - MARKUP_PER_LINE)));
      if (start !== '') pieces.push(inParagraph ? '<br>\n' : '<p>', start);
      return { html: finish(pieces, inParagraph || start !== ''), cut: true };
    }
    pieces.push(inParagraph ? '<br>\n' : '<p>', markedUp);
    inParagraph = true;
  }
  return { html: finish(pieces, inParagraph), cut: false };
}

function finish(pieces: string[], inParagraph: boolean): string {
  return pieces.join('') + (inParagraph ? '</p>' : '');
}

function markUp(line: string): string {
  return line.replace(MARKUP, (found) => ESCAPES[found] ?? link(found));
}

function link(found: string): string {
  const url = found.slice(0, endOfUrl(found));
  const rest = escapeHtml(found.slice(url.length));
  if (url.length <= 'https://'.length) return escapeHtml(found);
  const escaped = escapeHtml(url);
  return `<a href="${escaped}">${escaped}</a>${rest}`;
}

/** Punctuation at the end belongs to the sentence, and so does a bracket that was not opened inside. */
function endOfUrl(url: string): number {
  let open = 0;
  for (let i = 0; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 40) open += 1;
    else if (code === 41) open -= 1;
  }
  let end = url.length;
  for (; end > 0; end--) {
    const char = url[end - 1]!;
    if (char === ')' && open < 0) open += 1;
    else if (!".,;:!?'*]}".includes(char)) break;
  }
  return end;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ESCAPES[char]!);
}
