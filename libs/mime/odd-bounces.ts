import { parseAddressList } from './address-list.js';
import { cleanLine, cutText } from './clean-text.js';
import {
  addressIn,
  type DeliveryFailure,
  type DeliveryReport,
  LONGEST_DIAGNOSTIC,
  MOST_FAILURES,
  partsOf,
  RETURNED_TYPES,
  returnedId,
  textOf,
} from './delivery-report.js';
import { type HeaderFields, readHeaderBlock } from './header-block.js';
import { parseMessageId } from './message-ids.js';
import type { ReadPart } from './part-tree.js';

/** How a server says, in words only, that it could not deliver a message. */
interface OddBounce {
  /** How its text begins, or what stands in the first lines of it. */
  readonly says: RegExp;
  /** A recipient and why it failed: groups `recipient` and `reason`. */
  readonly failure: RegExp;
  /** The line behind which the returned message stands, where it is not attached. */
  readonly returned: RegExp | null;
  /** Header that names those for whom it failed for good. */
  readonly named?: string;
}

const ADDRESS = String.raw`[^\s<>()\[\]:;,]{1,255}@[^\s<>()\[\]:;,]{1,255}`;

const ODD_BOUNCES: readonly OddBounce[] = [
  // qmail (QSBMF)
  {
    says: /^Hi\. This is the (?:qmail-send|deliver) program at /,
    failure: new RegExp(String.raw`^<(?<recipient>${ADDRESS})>:\n(?<reason>(?:(?!---|<).+(?:\n|$))*)`, 'gm'),
    returned: /^--- Below this line is a copy of the message\.$/m,
  },
  // Exim, before 4.82 or told not to write reports
  {
    says: /^This message was created automatically by mail delivery software\./,
    failure: new RegExp(String.raw`^ {2}(?<recipient>${ADDRESS})\n(?<reason>(?: {4}.*(?:\n|$))*)`, 'gm'),
    returned: /^------ This is a copy of (?:the|your) message.* ------$/m,
    named: 'x-failed-recipients',
  },
  // Exchange, where a gateway took the report apart
  {
    says: /^(?:.*\n){0,3}(?:Delivery has failed to these recipients|Your message (?:to .* )?couldn't be delivered|Your message did not reach some or all)/,
    failure: new RegExp(
      String.raw`^[ \t]*(?<recipient>${ADDRESS})[ \t]*\n(?:[ \t]*\n)?[ \t]*(?:#|Remote Server (?:at .* )?returned ')(?<reason>.*)`,
      'gm',
    ),
    returned: null,
  },
];

const DAEMON = /^(?:mailer-daemon|postmaster|microsoftexchange[0-9a-f]{32})@/i;

/**
 * A report of a failed delivery by a server that does not know of RFC 3464. Nothing is one that a person or an automatic
 * answer could have written: it comes from nobody or a daemon, begins as that server's reports do, and carries the header
 * of the message that it returns.
 */
export function readOddBounce(root: ReadPart, source: Buffer, fields: HeaderFields): DeliveryReport | null {
  if (!isFromDaemon(fields)) return null;
  const parts = partsOf(root);
  const text = parts.find(({ type }) => type === 'text/plain');
  if (!text) return null;
  const said = textOf(text, source).replaceAll('\r', '').trimStart();
  const kind = ODD_BOUNCES.find(({ says }) => says.test(said));
  if (!kind) return null;
  const attached = parts.find(({ type }) => RETURNED_TYPES.has(type));
  const [told = '', ...quoted] = kind.returned ? said.split(kind.returned) : [said];
  const id = attached ? returnedId(attached, source) : quotedId(quoted.join('\n'));
  const failures = failuresIn(told, kind, fields);
  return id === null || failures.length === 0 ? null : { originalIds: [id], failures };
}

function isFromDaemon(fields: HeaderFields): boolean {
  if (fields.get('return-path')?.[0]?.trim() === '<>') return true;
  const { list } = parseAddressList(fields.get('from') ?? [], 1);
  return DAEMON.test(list[0]?.email ?? '');
}

function quotedId(text: string): string | null {
  const { fields } = readHeaderBlock(Buffer.from(text.trimStart()), 0, Buffer.byteLength(text));
  return parseMessageId(fields.get('message-id')?.[0]);
}

function failuresIn(text: string, { failure, named }: OddBounce, fields: HeaderFields): DeliveryFailure[] {
  const failed =
    named === undefined
      ? null
      : (fields
          .get(named)
          ?.join(',')
          .toLowerCase()
          .split(/[\s,]+/) ?? []);
  const found = [...text.matchAll(failure)].flatMap(({ groups }): DeliveryFailure[] => {
    const recipient = addressIn(groups?.['recipient']);
    if (recipient === null || failed?.includes(recipient.toLowerCase()) === false) return [];
    const diagnostic = cutText(cleanLine(groups?.['reason'] ?? ''), LONGEST_DIAGNOSTIC).trim();
    const status = /\b[45]\.\d{1,3}\.\d{1,3}\b/.exec(diagnostic)?.[0] ?? null;
    return [{ recipient, status, diagnostic: diagnostic || null }];
  });
  return found.slice(0, MOST_FAILURES);
}
