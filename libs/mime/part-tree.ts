import type { BodyStructure } from './body-structure.js';
import { cleanLine } from './clean-text.js';
import { parseContentField } from './content-field.js';
import { type HeaderFields, readHeaderBlock } from './header-block.js';

/** A part as our own reader found it, with where its content is. */
export interface ReadPart extends BodyStructure {
  readonly start: number;
  readonly end: number;
  /** False when the source ended before the part did, or might have. */
  readonly closed: boolean;
  readonly children: readonly ReadPart[];
}

export interface PartTree {
  readonly root: ReadPart;
  /** What a limit cut, for people. */
  readonly problems: readonly string[];
}

export interface TreeLimits {
  readonly headerBytes: number;
  readonly parts: number;
  readonly nesting: number;
}

type MutablePart = { -readonly [K in keyof ReadPart]: ReadPart[K] } & { children: MutablePart[] };

interface OpenMultipart {
  readonly node: MutablePart;
  readonly boundary: string;
  /** The enclosing multipart that uses the same boundary, if any. */
  readonly shadowed: number | undefined;
}

interface Delimiter {
  readonly lineStart: number;
  readonly next: number;
  readonly depth: number;
  readonly last: boolean;
}

const LF = 10;
const CR = 13;
const DASHES = Buffer.from('--');
const MAX_BOUNDARY = 1000;

/**
 * Finds the parts of a message in one pass: every line that starts with two dashes is held against the boundaries
 * open at that point, whatever their depth, so a multipart that lacks its last delimiter ends where its parent goes
 * on. Attached messages are leaves.
 */
export function readPartTree(
  source: Buffer,
  contentStart: number,
  fields: HeaderFields,
  complete: boolean,
  limits: TreeLimits,
): PartTree {
  return new TreeReader(source, complete, limits).read(contentStart, fields);
}

class TreeReader {
  private readonly open: OpenMultipart[] = [];
  private readonly depthOf = new Map<string, number>();
  private readonly problems = new Set<string>();
  private parts = 1;

  constructor(
    private readonly source: Buffer,
    private readonly complete: boolean,
    private readonly limits: TreeLimits,
  ) {}

  read(contentStart: number, fields: HeaderFields): PartTree {
    const root = this.makePart(fields, '', 'text/plain', contentStart);
    let leaf = this.tryOpen(root) ? null : root;

    for (let at = contentStart; this.open.length > 0;) {
      const delimiter = this.nextDelimiter(at);
      if (!delimiter) break;
      const end = beforeLineEnd(this.source, delimiter.lineStart);
      if (leaf) close(leaf, end);
      leaf = null;
      this.closeDeeperThan(delimiter.depth, end);
      at = delimiter.next;
      if (delimiter.last) {
        this.closeDeeperThan(delimiter.depth - 1, end);
        continue;
      }
      if (this.parts >= this.limits.parts) {
        this.problems.add(`The message has more than ${this.limits.parts} parts; the rest was left out.`);
        break;
      }
      const part = this.readPart(delimiter);
      at = part.start;
      if (!this.tryOpen(part)) leaf = part;
    }
    this.finish(root);
    return { root, problems: [...this.problems] };
  }

  private readPart(delimiter: Delimiter): MutablePart {
    const parent = this.open[delimiter.depth]!.node;
    const number = `${parent.part}${parent.part === '' ? '' : '.'}${parent.children.length + 1}`;
    const block = readHeaderBlock(
      this.source,
      delimiter.next,
      this.limits.headerBytes,
      (start, end) => this.match(start, end) !== null,
    );
    if (block.cut) this.problems.add('The header of a part is too long and was cut.');
    const fallback = parent.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    const part = this.makePart(block.fields, number, fallback, block.contentStart);
    parent.children.push(part);
    this.parts += 1;
    return part;
  }

  private makePart(fields: HeaderFields, part: string, fallbackType: string, start: number): MutablePart {
    const type = parseContentField(fields.get('content-type')?.[0]);
    const disposition = parseContentField(fields.get('content-disposition')?.[0]);
    return {
      part,
      type: normalType(type.value, fallbackType),
      parameters: type.parameters,
      disposition: disposition.value === '' ? null : disposition.value,
      dispositionParameters: disposition.parameters,
      contentId: contentIdOf(fields.get('content-id')?.[0]),
      encoding: encodingOf(fields.get('content-transfer-encoding')?.[0]),
      size: this.source.length - start,
      children: [],
      start,
      end: this.source.length,
      closed: this.complete,
    };
  }

  /** False for anything that has no parts we could find: it is read as a leaf. */
  private tryOpen(node: MutablePart): boolean {
    if (!node.type.startsWith('multipart/')) return false;
    const boundary = (node.parameters.get('boundary') ?? '').trimEnd();
    if (boundary === '' || boundary.length > MAX_BOUNDARY) {
      node.type = 'text/plain';
      return false;
    }
    if (this.open.length >= this.limits.nesting) {
      this.problems.add(`The message is nested deeper than ${this.limits.nesting} levels; the rest was left out.`);
      return false;
    }
    this.open.push({ node, boundary, shadowed: this.depthOf.get(boundary) });
    this.depthOf.set(boundary, this.open.length - 1);
    return true;
  }

  private closeDeeperThan(depth: number, end: number): void {
    while (this.open.length > depth + 1) {
      const { node, boundary, shadowed } = this.open.pop()!;
      close(node, end);
      // Without its delimiters a multipart is what people see: text.
      if (node.children.length === 0) node.type = 'text/plain';
      if (shadowed === undefined) this.depthOf.delete(boundary);
      else this.depthOf.set(boundary, shadowed);
    }
  }

  private finish(root: MutablePart): void {
    for (const { node } of this.open) if (node.children.length === 0) node.type = 'text/plain';
    if (!root.type.startsWith('multipart/')) root.part = '1';
  }

  private nextDelimiter(from: number): Delimiter | null {
    const { source } = this;
    for (let at = from; at < source.length;) {
      const dashes = source.indexOf(DASHES, at);
      if (dashes < 0) return null;
      if (dashes === from || source[dashes - 1] === LF) {
        const next = lineAfter(source, dashes);
        const found = this.match(dashes, next);
        if (found) return { lineStart: dashes, next, ...found };
        at = next;
      } else {
        at = lineAfter(source, dashes);
      }
    }
    return null;
  }

  /** Which open multipart the line delimits. White space after the boundary is tolerated (RFC 2046 5.1.1). */
  private match(lineStart: number, lineEnd: number): { readonly depth: number; readonly last: boolean } | null {
    if (this.source[lineStart + 1] !== DASHES[1] || lineEnd - lineStart > MAX_BOUNDARY + 100) return null;
    const text = this.source.toString('latin1', lineStart + 2, lineEnd).trimEnd();
    const depth = this.depthOf.get(text);
    if (depth !== undefined) return { depth, last: false };
    if (!text.endsWith('--')) return null;
    const outer = this.depthOf.get(text.slice(0, -2));
    return outer === undefined ? null : { depth: outer, last: true };
  }
}

function close(node: MutablePart, end: number): void {
  node.end = Math.max(node.start, end);
  node.size = node.end - node.start;
  node.closed = true;
}

/** The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1). */
function beforeLineEnd(source: Buffer, lineStart: number): number {
  if (lineStart < 1 || source[lineStart - 1] !== LF) return lineStart;
  return source[lineStart - 2] === CR ? lineStart - 2 : lineStart - 1;
}

function lineAfter(source: Buffer, at: number): number {
  const found = source.indexOf(LF, at);
  return found < 0 ? source.length : found + 1;
}

const TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

function normalType(value: string, fallback: string): string {
  if (TYPE.test(value) && value.length <= 255) return value;
  return value === 'html' || value === 'text/html,' ? 'text/html' : fallback;
}

function encodingOf(raw: string | undefined): string {
  const value = (raw ?? '')
    .trim()
    .toLowerCase()
    .replace(/["']/g, '')
    .split(/[\s;(]/, 1)[0]!;
  if (value === '') return '7bit';
  if (value === 'qp' || value === 'quoted_printable' || value === 'quotedprintable') return 'quoted-printable';
  return value === 'base-64' ? 'base64' : value;
}

const MAX_CONTENT_ID = 255;

function contentIdOf(raw: string | undefined): string | null {
  if (raw === undefined) return null;
  const inner = /<([^<>]*)>/.exec(raw)?.[1] ?? raw.replace(/[<>]/g, '');
  return cleanLine(inner).slice(0, MAX_CONTENT_ID) || null;
}
