import { cutText } from './clean-text.js';
import { decodeEntities } from './html-entities.js';
import { TagScanner } from './snippet.js';

/** What an HTML document shows, as text: blocks are parted by blanks, elements inside of words are not. */
export function textOfHtml(html: string, maxChars: number): string {
  const scanner = new TagScanner(html);
  const pieces: string[] = [];
  let length = 0;
  for (let at = 0; at < html.length && length < maxChars;) {
    const found = html.indexOf('<', at);
    const end = found < 0 ? html.length : found;
    const text = decodeEntities(html.slice(at, end));
    pieces.push(text);
    length += text.length;
    if (found < 0) break;
    const tag = scanner.read(found);
    if (tag.text) pieces.push('<');
    else if (tag.block) pieces.push(' ');
    at = tag.end;
  }
  return cutText(pieces.join(''), maxChars);
}
