import { cleanLine, cutText } from './clean-text.js';
import { readHeaderBlock } from './header-block.js';
import { parseMessageId } from './message-ids.js';
import type { ReadPart } from './part-tree.js';
import { decodeTransfer } from './transfer-encoding.js';

/** A recipient that a message did not reach (RFC 3464 2.3). */
export interface DeliveryFailure {
  /** As the sender wrote it where the report says so, else where it was forwarded to. */
  readonly recipient: string;
  /** RFC 3463, e.g. `5.1.1`; null when the report has none. */
  readonly status: string | null;
  /** What the server that refused it said. */
  readonly diagnostic: string | null;
}

/** What a delivery status notification says; anybody can write one. */
export interface DeliveryReport {
  /** Message-IDs that the returned message, or else its envelope, may have had. */
  readonly originalIds: readonly string[];
  readonly failures: readonly DeliveryFailure[];
}

const STATUS_TYPES = new Set(['message/delivery-status', 'message/global-delivery-status']);
export const RETURNED_TYPES = new Set([
  'message/rfc822',
  'text/rfc822-headers',
  'message/global',
  'message/global-headers',
  'message/rfc822-headers',
]);
export const MOST_FAILURES = 100;
const MOST_BYTES = 262_144;
const MOST_PARTS = 50;
const LONGEST_ADDRESS = 320;
/** In characters. */
export const LONGEST_DIAGNOSTIC = 500;

type Fields = ReadonlyMap<string, string>;

/** Null when the message is no report of a failed delivery: one of a delay or of success is none. */
export function readDeliveryReport(root: ReadPart, source: Buffer): DeliveryReport | null {
  const report = reportIn(root);
  const status = report?.children.find(({ type }) => STATUS_TYPES.has(type));
  if (!report || !status) return null;
  const [about = new Map<string, string>(), ...others] = groupsOf(textOf(status, source));
  // Some write one group only.
  const groups = about.has('final-recipient') ? [about, ...others] : others;
  const failures = groups.flatMap(failureOf).slice(0, MOST_FAILURES);
  if (failures.length === 0) return null;
  const returned = report.children.find(({ type }) => RETURNED_TYPES.has(type));
  const ids = [returned ? returnedId(returned, source) : null, parseMessageId(about.get('original-envelope-id'))];
  return { originalIds: [...new Set(ids.filter((id) => id !== null))], failures };
}

/** The report itself, which lists and gateways put into other multiparts. */
const reportIn = (root: ReadPart): ReadPart | undefined =>
  partsOf(root).find(
    (part) => part.type === 'multipart/report' && part.children.some(({ type }) => STATUS_TYPES.has(type)),
  );

/** A part with those in it, the outer ones first, not more than a report has. */
export function partsOf(root: ReadPart): ReadPart[] {
  const parts = [root];
  for (let at = 0; at < Math.min(parts.length, MOST_PARTS); at += 1) {
    parts.push(...parts[at]!.children.slice(0, MOST_PARTS));
  }
  return parts.slice(0, MOST_PARTS);
}

function contentOf(part: ReadPart, source: Buffer): Buffer {
  return decodeTransfer(source.subarray(part.start, Math.min(part.end, part.start + MOST_BYTES)), part.encoding);
}

export const textOf = (part: ReadPart, source: Buffer): string => contentOf(part, source).toString('utf8');

/** Groups of header fields with an empty line between them: of the message, then of each recipient. */
function groupsOf(text: string): Fields[] {
  const groups = text.replaceAll('\r', '').split(/\n[ \t]*\n/);
  return groups
    .map((group) => {
      const lines = group.replaceAll(/\n[ \t]+/g, ' ').split('\n');
      const fields = lines.flatMap((line): [string, string][] => {
        const colon = line.indexOf(':');
        return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]] : [];
      });
      return new Map(fields);
    })
    .filter((fields) => fields.size > 0);
}

function failureOf(fields: Fields): DeliveryFailure[] {
  if (
    fields
      .get('action')
      ?.toLowerCase()
      .split(/[\s(;]/, 1)[0] !== 'failed'
  )
    return [];
  const recipient = addressIn(fields.get('original-recipient')) ?? addressIn(fields.get('final-recipient'));
  if (recipient === null) return [];
  const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.get('status') ?? '')?.[0] ?? null;
  const diagnostic = cutText(cleanLine(valueIn(fields.get('diagnostic-code') ?? '')), LONGEST_DIAGNOSTIC);
  return [{ recipient, status, diagnostic: diagnostic || null }];
}

/** Behind the type: `rfc822; bob@example.com`, `smtp; 550 no such user`. */
function valueIn(field: string): string {
  return field.replace(/^[\w-]+\s*;\s*/, '');
}

export function addressIn(field: string | undefined): string | null {
  if (field === undefined) return null;
  const value = cleanLine(valueIn(field));
  const address = /<([^<>]*)>/.exec(value)?.[1] ?? value;
  return address.includes('@') && address.length <= LONGEST_ADDRESS ? address : null;
}

export function returnedId(part: ReadPart, source: Buffer): string | null {
  const { fields } = readHeaderBlock(contentOf(part, source), 0, MOST_BYTES);
  return parseMessageId(fields.get('message-id')?.[0]);
}
