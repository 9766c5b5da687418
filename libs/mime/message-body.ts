import type { BodyStructure } from './body-structure.js';
import { decodeBodyText } from './charset.js';
import { cleanText, cutText } from './clean-text.js';
import { textToHtml, unflow } from './plain-text.js';
import { snippetOfHtml, snippetOfText } from './snippet.js';
import { decodeTransfer } from './transfer-encoding.js';

/** A text part with its bytes as transferred. */
export interface TextPart {
  readonly part: BodyStructure;
  readonly content: Buffer;
  /** The end is missing. */
  readonly cut: boolean;
}

export interface MessageBody {
  readonly html: string;
  readonly snippet: string;
  /** The body was longer than allowed. */
  readonly cut: boolean;
}

/** No character of any charset we know takes more bytes, transfer encoding included, than this. */
const BYTES_PER_CHARACTER = 24;

/** The html parts joined; when they show nothing or there are none, the plain parts marked up. */
export function makeBody(html: readonly TextPart[], plain: readonly TextPart[], maxChars: number): MessageBody {
  const shown = joinTexts(html, maxChars);
  if (shown.text.trim() !== '' || plain.length === 0) {
    return { html: cutHtml(shown.text, maxChars), snippet: snippetOfHtml(shown.text), cut: shown.cut };
  }
  const text = joinTexts(plain, maxChars);
  const markedUp = textToHtml(text.text, maxChars);
  return { html: markedUp.html, snippet: snippetOfText(text.text), cut: text.cut || markedUp.cut };
}

function joinTexts(parts: readonly TextPart[], maxChars: number): { text: string; cut: boolean } {
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    if (length > maxChars) break;
    const text = textOf(part, maxChars);
    texts.push(text);
    length += text.length + 1;
  }
  const text = texts.join('\n');
  return { text: cutText(text, maxChars), cut: text.length > maxChars || texts.length < parts.length };
}

function textOf({ part, content, cut }: TextPart, maxChars: number): string {
  const html = part.type === 'text/html';
  const used =
    content.length > maxChars * BYTES_PER_CHARACTER ? content.subarray(0, maxChars * BYTES_PER_CHARACTER) : content;
  const bytes = decodeTransfer(used, part.encoding);
  const decoded = decodeBodyText(bytes, part.parameters.get('charset') ?? null, html);
  const whole = cut ? decoded.replace(/\uFFFD+$/, '') : decoded;
  const text = cleanText(whole.includes('\r') ? whole.replace(/\r\n?/g, '\n') : whole);
  if (html || part.parameters.get('format')?.toLowerCase() !== 'flowed') return text;
  return unflow(text, part.parameters.get('delsp')?.toLowerCase() === 'yes');
}

/** Not in the middle of a tag. */
function cutHtml(html: string, maxChars: number): string {
  if (html.length < maxChars) return html;
  const open = html.lastIndexOf('<');
  return open > html.lastIndexOf('>') ? html.slice(0, open) : html;
}
