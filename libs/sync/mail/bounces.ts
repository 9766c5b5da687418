import { type LogEntry, noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { hash64 } from '#libs/common/hash.js';
import type { StoredFailure } from '#libs/database/message.entity.js';
import type { DeliveryReport } from '#libs/mime/delivery-report.js';

import type { NewMessage } from './insert-rows.js';

const MOST_KEPT = 100;

interface Returned {
  readonly id: string;
  readonly failures: readonly StoredFailure[] | null;
}

/**
 * Notes on sent messages whom they did not reach. A report is mail like any other, and anybody can write one: it says
 * something about a message of which it knows the Message-ID, and does nothing else.
 * @param fresh whether they have just come: of old ones the account's log does not tell
 */
export async function noteBounces(tx: Tx, messages: readonly NewMessage[], fresh: boolean): Promise<void> {
  const entries: LogEntry[] = [];
  for (const bounce of messages) {
    const { report } = bounce.parsed;
    if (!report || bounce.draft || bounce.sent) continue;
    const returned = await returnedBy(tx, report);
    if (!returned) continue;
    await tx.query('UPDATE messages SET delivery_failures = $3 WHERE account_id = $1 AND id = $2', [
      tx.accountId,
      returned.id,
      JSON.stringify(joined(returned.failures ?? [], report, bounce)),
    ]);
    tx.changes.record('modify', 'message', returned.id);
    const recipients = report.failures.length === 1 ? 'a recipient' : `${report.failures.length} recipients`;
    entries.push({
      level: 'warn',
      kind: 'message.bounced',
      message: `A message could not be delivered to ${recipients}.`,
      details: { messageId: returned.id, bounceId: bounce.id },
    });
  }
  if (fresh) await noteEvents(tx, entries);
}

async function returnedBy(tx: Tx, { originalIds }: DeliveryReport): Promise<Returned | null> {
  if (originalIds.length === 0) return null;
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
function joined(known: readonly StoredFailure[], report: DeliveryReport, bounce: NewMessage): StoredFailure[] {
  const byRecipient = new Map(known.map((failure) => [failure.recipient.toLowerCase(), failure]));
  for (const { recipient, status, diagnostic } of report.failures) {
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
