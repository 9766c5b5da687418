import { hash } from 'node:crypto';
import { parseAddressList } from './address-list.js';
import type { BodyStructure } from './body-structure.js';
import { chooseParts, dispositionOf, filenameOf, typeOf } from './choose-parts.js';
import { cleanLine, cutText } from './clean-text.js';
import { parseDateHeader } from './date-header.js';
import { readDeliveryReport } from './delivery-report.js';
import { decodeHeaderText } from './encoded-words.js';
import { type HeaderBlock, type HeaderFields, readHeaderBlock } from './header-block.js';
import { makeBody, type TextPart } from './message-body.js';
import { limitReferences, parseMessageId, parseMessageIds } from './message-ids.js';
import { readOddBounce } from './odd-bounces.js';
import type { ParsedFile, ParsedHeaders, ParsedMessage } from './parsed-message.js';
import { type ReadPart, readPartTree } from './part-tree.js';
import { locateTexts, partsByNumber } from './text-parts.js';
import { decodedSize, estimatedSize } from './transfer-encoding.js';

/** What is at hand of a message. */
export interface MessageSource {
  /** The first bytes of the message, all of them when `complete`. */
  readonly source: Buffer;
  readonly complete: boolean;
  /** For an incomplete source: the server's description of the MIME tree, when it made sense. */
  readonly structure: BodyStructure | null;
  /** For an incomplete source: text parts by part number, still transfer-encoded, possibly cut. */
  readonly textParts: ReadonlyMap<string, Buffer>;
}

export interface ParseBudget {
  /** Body HTML beyond this many characters is cut. */
  readonly bodyChars: number;
  readonly headerBytes: number;
  readonly parts: number;
  readonly nesting: number;
  readonly recipients: number;
}

export const defaultBudget: ParseBudget = {
  bodyChars: 2_000_000,
  headerBytes: 1_048_576,
  parts: 1000,
  nesting: 100,
  recipients: 25_000,
};

const MAX_SUBJECT = 2000;
const LF = 10;
const CR = 13;

/**
 * Reads a message. Never throws and never loses one: whatever cannot be read is left out and told in `state` and
 * `problem`.
 */
export function parseMessage(message: MessageSource, budget: ParseBudget = defaultBudget): ParsedMessage {
  const problems = new Set<string>();
  const source = withLineFeeds(message.source);
  const block = readHeaderBlock(source, 0, budget.headerBytes);
  if (block.cut) problems.add(`The header is longer than ${budget.headerBytes} bytes; the rest was left out.`);
  else if (!message.complete && !block.terminated) problems.add('Only the beginning of the header was read.');
  const headers = readHeaders(block.fields, budget, problems);
  const headerHash = hashHeader(source, block);
  try {
    const content = readContent(message, source, block, budget, problems);
    return {
      headers,
      headerHash,
      ...content,
      state: problems.size === 0 ? 'complete' : 'limited',
      problem: problems.size === 0 ? null : [...problems].join(' '),
    };
  } catch (error) {
    // The last resort: a fault of ours in one message must not keep the mailbox from being read.
    const reason = error instanceof Error ? error.name : 'unknown fault';
    const problem = `The content could not be read (${reason}); only the headers were kept.`;
    return { headers, headerHash, body: '', snippet: '', files: [], report: null, state: 'failed', problem };
  }
}

/** Reads a message of which every byte is at hand. */
export function parseWhole(source: Buffer): ParsedMessage {
  return parseMessage({ source, complete: true, structure: null, textParts: new Map() });
}

/** What `parseMessage` says of the header of this message. */
export function headerHashOf(source: Buffer): string {
  return hashHeader(source, readHeaderBlock(source, 0, defaultBudget.headerBytes));
}

/** Mail of old Macs ends lines in CR alone; nothing else is without any LF. */
function withLineFeeds(source: Buffer): Buffer {
  if (source.includes(LF) || !source.includes(CR)) return source;
  const copy = Buffer.from(source);
  for (let at = copy.indexOf(CR); at >= 0; at = copy.indexOf(CR, at + 1)) copy[at] = LF;
  return copy;
}

function hashHeader(source: Buffer, block: HeaderBlock): string {
  const raw = source.subarray(0, block.end);
  const text = raw.toString('latin1');
  const bytes = /(?:^|[^\r])\n/.test(text) ? Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1') : raw;
  return hash('sha256', bytes);
}

function readHeaders(fields: HeaderFields, budget: ParseBudget, problems: Set<string>): ParsedHeaders {
  let room = budget.recipients;
  const addresses = (name: string): ParsedHeaders['to'] => {
    const values = fields.get(name);
    if (!values) return [];
    const { list, cut } = parseAddressList(values, room);
    room -= list.length;
    if (cut) problems.add(`The message has more than ${budget.recipients} addresses; the rest was left out.`);
    return list;
  };
  const subject = cleanLine(decodeHeaderText(fields.get('subject')?.[0] ?? ''));
  if (subject.length > MAX_SUBJECT) problems.add(`The subject is longer than ${MAX_SUBJECT} characters and was cut.`);
  return {
    messageIdHeader: parseMessageId(fields.get('message-id')?.[0]),
    inReplyTo: parseMessageIds(fields.get('in-reply-to') ?? [])[0] ?? null,
    references: limitReferences(parseMessageIds(fields.get('references') ?? [])),
    subject: cutText(subject, MAX_SUBJECT),
    from: addresses('from'),
    replyTo: addresses('reply-to'),
    to: addresses('to'),
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    date: parseDateHeader(fields.get('date')?.[0]),
    draftSeal: fields.get('x-postrider-draft')?.[0]?.trim() ?? null,
  };
}

type Content = Pick<ParsedMessage, 'body' | 'snippet' | 'files' | 'report'>;

function readContent(
  message: MessageSource,
  source: Buffer,
  block: HeaderBlock,
  budget: ParseBudget,
  problems: Set<string>,
): Content {
  const { complete, structure } = message;
  const tree = readPartTree(source, block.contentStart, block.fields, complete, budget);
  const described = complete ? null : structure;
  if (!complete && !described) problems.add('Only the beginning of the message was read.');
  const chosen = chooseParts<BodyStructure>(described ?? tree.root, budget);
  if (chosen.cut) problems.add(`The message has more than ${budget.parts} parts; the rest was left out.`);
  if (!described) for (const problem of tree.problems) problems.add(problem);

  const read = described ? partsByNumber(tree.root) : null;
  const texts = (parts: readonly BodyStructure[]): readonly TextPart[] =>
    read
      ? locateTexts(parts, read, message.textParts, source)
      : parts.map((part) => wholeText(part as ReadPart, source));
  const html = texts(chosen.html);
  const plain = chosen.html.length > 0 && described ? [] : texts(chosen.plain);
  const body = makeBody(html, plain, budget.bodyChars);
  if (body.cut) problems.add(`The body is longer than ${budget.bodyChars} characters and was cut.`);
  if (described && [...html, ...plain].some((text) => text.cut)) problems.add('The end of the text was not read.');
  const files = chosen.files.map((part) => fileOf(part, source));
  const report = readDeliveryReport(tree.root, source) ?? readOddBounce(tree.root, source, block.fields);
  return { body: body.html, snippet: body.snippet, files, report };
}

function wholeText(part: ReadPart, source: Buffer): TextPart {
  return { part, content: source.subarray(part.start, part.end), cut: !part.closed };
}

function fileOf(part: BodyStructure | ReadPart, source: Buffer): ParsedFile {
  const atHand = 'closed' in part && part.closed;
  return {
    part: part.part,
    contentType: typeOf(part),
    filename: filenameOf(part),
    size: atHand
      ? decodedSize(source.subarray(part.start, part.end), part.encoding)
      : estimatedSize(part.size, part.encoding),
    contentId: part.contentId,
    disposition: dispositionOf(part),
  };
}
