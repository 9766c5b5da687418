import { noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { hash64 } from '#libs/common/hash.js';
import type { StoredFailure } from '#libs/database/message.entity.js';
import type { DeliveryFailure } from '#libs/mime/delivery-report.js';

import type { NewMessage } from './insert-rows.js';

const MOST_KEPT = 100;

/** Of reports whose messages do not turn up the newest stay, for so long. */
const MOST_WAITING = 1000;
const WAITING_DAYS = 30;
/** In bytes: the longest line there is (RFC 5322 2.1.1), and no more than an index takes. */
const LONGEST_HEADER = 998;

interface Returned {
  readonly id: string;
  readonly failures: readonly StoredFailure[] | null;
}

/** A report that was read, and the message that it is. */
interface Bounce {
  readonly id: string;
  readonly receivedAt: Date;
  /** It has just come: of old ones the account's log does not tell. */
  readonly fresh: boolean;
  readonly failures: readonly DeliveryFailure[];
}

/**
 * Notes on sent messages whom they did not reach. A report is mail like any other, and anybody can write one: it says
 * something about a message of which it knows the Message-ID, and does nothing else. One that was quicker than the
 * message waits for it.
 * @param fresh whether they have just come
 */
export async function noteBounces(tx: Tx, messages: readonly NewMessage[], fresh: boolean): Promise<void> {
  let kept = 0;
  for (const { id, receivedAt, parsed, draft, sent } of messages) {
    const { report } = parsed;
    if (!report || draft || sent || report.originalIds.length === 0) continue;
    const bounce = { id, receivedAt, fresh, failures: report.failures };
    const returned = await returnedBy(tx, report.originalIds);
    if (returned) await note(tx, returned, bounce);
    else kept += await keep(tx, report.originalIds, bounce);
  }
  if (kept > 0) await forgetOld(tx);
}

/** Notes what reports said of messages that have become known, by Message-ID, as sent. */
export async function noteWaitingBounces(tx: Tx, headers: readonly (string | null)[]): Promise<void> {
  const waiting = await tx.query<Bounce & { readonly header: string }>(
    `SELECT report.message_id_header AS header, report_id AS id, received_at AS "receivedAt", fresh, failures
     FROM unnest($2::text[]) AS wanted(header), LATERAL (
       SELECT * FROM waiting_reports WHERE account_id = $1 AND message_id_header = wanted.header OFFSET 0
     ) AS report ORDER BY received_at, report_id`,
    [tx.accountId, [...new Set(headers.filter((header) => header !== null))]],
  );
  for (const bounce of waiting) {
    const returned = await returnedBy(tx, [bounce.header]);
    if (!returned) continue;
    await note(tx, returned, bounce);
    await tx.query('DELETE FROM waiting_reports WHERE account_id = $1 AND report_id = $2', [tx.accountId, bounce.id]);
  }
}

async function note(tx: Tx, { id, failures }: Returned, bounce: Bounce): Promise<void> {
  await tx.query('UPDATE messages SET delivery_failures = $3 WHERE account_id = $1 AND id = $2', [
    tx.accountId,
    id,
    JSON.stringify(joined(failures ?? [], bounce)),
  ]);
  tx.changes.record('modify', 'message', id);
  if (!bounce.fresh) return;
  const recipients = bounce.failures.length === 1 ? 'a recipient' : `${bounce.failures.length} recipients`;
  const message = `A message could not be delivered to ${recipients}.`;
  await noteEvents(tx, [
    { level: 'warn', kind: 'message.bounced', message, details: { messageId: id, bounceId: bounce.id } },
  ]);
}

/** @returns under how many Message-IDs */
async function keep(tx: Tx, originalIds: readonly string[], bounce: Bounce): Promise<number> {
  const headers = originalIds.filter((header) => Buffer.byteLength(header) <= LONGEST_HEADER);
  await tx.query(
    `INSERT INTO waiting_reports (account_id, message_id_header, report_id, failures, received_at, fresh)
     SELECT $1, header, $3, $4, $5, $6 FROM unnest($2::text[]) AS header ON CONFLICT DO NOTHING`,
    [tx.accountId, headers, bounce.id, JSON.stringify(bounce.failures), bounce.receivedAt, bounce.fresh],
  );
  return headers.length;
}

async function forgetOld(tx: Tx): Promise<void> {
  await tx.query(
    `DELETE FROM waiting_reports WHERE account_id = $1 AND (created_at < now() - make_interval(days => $2)
       OR (message_id_header, report_id) IN (
         SELECT message_id_header, report_id FROM waiting_reports WHERE account_id = $1
         ORDER BY created_at DESC, report_id DESC OFFSET $3))`,
    [tx.accountId, WAITING_DAYS, MOST_WAITING],
  );
}

async function returnedBy(tx: Tx, originalIds: readonly string[]): Promise<Returned | null> {
  const [row] = await tx.query<Returned>(
    `SELECT sent.id, sent.delivery_failures AS failures FROM thread_refs link
     JOIN messages sent ON sent.account_id = $1 AND sent.thread_id = link.thread_id
       AND sent.message_id_header = ANY($3::text[]) AND (sent.sent OR sent.made_here) AND NOT sent.draft
     WHERE link.account_id = $1 AND link.ref = ANY($2::bigint[])
     ORDER BY array_position($3::text[], sent.message_id_header), sent.sent DESC, sent.id LIMIT 1`,
    [tx.accountId, originalIds.map(hash64), originalIds],
  );
  return row ?? null;
}

/** Of each recipient the last word counts. */
function joined(known: readonly StoredFailure[], bounce: Bounce): StoredFailure[] {
  const byRecipient = new Map(known.map((failure) => [failure.recipient.toLowerCase(), failure]));
  for (const { recipient, status, diagnostic } of bounce.failures) {
    byRecipient.delete(recipient.toLowerCase());
    byRecipient.set(recipient.toLowerCase(), {
      recipient,
      action: 'failed',
      status,
      diagnostic,
      date: Math.floor(bounce.receivedAt.getTime() / 1000),
      message_id: bounce.id,
    });
  }
  return [...byRecipient.values()].slice(-MOST_KEPT);
}
