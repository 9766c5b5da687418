import type { BodyStructure } from './body-structure.js';
import { chooseParts } from './choose-parts.js';
import { readHeaderBlock } from './header-block.js';
import type { TextPart } from './message-body.js';
import { type ReadPart, readPartTree } from './part-tree.js';

const LIMITS = { headerBytes: 1_048_576, parts: 1000, nesting: 100 };
/** More text parts than this are not worth a fetch each. */
const MAX_FETCHED = 64;

/**
 * Numbers of the parts that make up the body but are not wholly in the first bytes of the message: those a driver
 * must fetch besides.
 *
 * @param prefix the first bytes of the message, header included.
 */
export function textPartsBeyond(structure: BodyStructure, prefix: Buffer): string[] {
  const block = readHeaderBlock(prefix, 0, LIMITS.headerBytes);
  const read = partsByNumber(readPartTree(prefix, block.contentStart, block.fields, false, LIMITS).root);
  const { html, plain } = chooseParts(structure, LIMITS);
  return (html.length > 0 ? html : plain)
    .filter((part) => part.size > 0 && !isWhole(part, read.get(part.part)))
    .map((part) => part.part)
    .slice(0, MAX_FETCHED);
}

export function partsByNumber(root: ReadPart): ReadonlyMap<string, ReadPart> {
  const parts = new Map<string, ReadPart>();
  const stack = [root];
  for (let part = stack.pop(); part; part = stack.pop()) {
    if (!parts.has(part.part)) parts.set(part.part, part);
    stack.push(...part.children);
  }
  return parts;
}

/** The bytes of each text part: from the prefix when they are all there, else as fetched, else what there is. */
export function locateTexts(
  parts: readonly BodyStructure[],
  read: ReadonlyMap<string, ReadPart>,
  fetched: ReadonlyMap<string, Buffer>,
  prefix: Buffer,
): TextPart[] {
  return parts.map((part) => {
    const found = read.get(part.part);
    const same = found?.type === part.type ? found : undefined;
    if (same && isWhole(part, same)) {
      return {
        part,
        content: prefix.subarray(same.start, same.closed ? same.end : same.start + part.size),
        cut: false,
      };
    }
    const content = fetched.get(part.part);
    if (content) return { part, content, cut: content.length < part.size };
    const rest = same ? prefix.subarray(same.start, same.end) : Buffer.alloc(0);
    return { part, content: rest, cut: part.size > 0 };
  });
}

function isWhole(described: BodyStructure, read: ReadPart | undefined): boolean {
  if (!read || read.type !== described.type) return false;
  return read.closed || (described.size > 0 && read.end - read.start >= described.size);
}
