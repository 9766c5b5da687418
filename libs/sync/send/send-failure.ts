import { type LogEntry, noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';
import type { DomainError } from '#libs/common/errors.js';
import type { SendState } from '#libs/database/send.entity.js';
import { touchDraft } from '#libs/domain/drafts/touch-draft.js';

import { backOffMs } from '../policy.js';

import type { ClaimedSend } from './send-store.js';

/** How long the copy of a message that may have been sent is waited for. */
export const LOOK_MINUTES = 10;
/** What may pass: the pace, and a server that cannot be reached. */
const PASSING = new Set([429, 503]);
/** Somebody who is not waiting need not be quick: a minute, then twice as long each time. */
const PATIENCE = 5;

interface Failed {
  readonly error: DomainError;
  /** It may have been sent. */
  readonly unknown: boolean;
  /** States it must be in: another one is newer than what we know. */
  readonly from: readonly SendState[];
}

/**
 * Writes down how sending ended. What nobody waits for is tried again when that may help, unless it may have been sent:
 * that is never tried again.
 */
export async function noteFailure(tx: Tx, send: ClaimedSend, failed: Failed): Promise<void> {
  const { error, unknown } = failed;
  const [known] = await tx.query<{ state: SendState }>(
    'SELECT state FROM sends WHERE account_id = $1 AND id = $2 AND claims = $3 AND state = ANY($4) FOR UPDATE',
    [tx.accountId, send.id, send.claims, failed.from],
  );
  if (!known) return;
  // Its author may have sent it again meanwhile.
  const late = known.state === 'unknown';
  const retryAt = unknown || late ? null : nextTry(send, error, Date.now());
  const state = unknown ? 'unknown' : retryAt ? 'scheduled' : 'failed';
  const { status, type, message, details } = error;
  const answer = JSON.stringify({ error: { status, type, message, details }, tries: send.tries + 1 });
  await tx.query(
    `UPDATE sends SET state = $3, answer = $4, due_at = coalesce($5, due_at),
       content = CASE WHEN $3 = 'failed' THEN NULL ELSE content END,
       settled_at = CASE WHEN $3 = 'failed' THEN now() END,
       look_until = CASE WHEN $3 = 'unknown' THEN now() + make_interval(mins => $6) END
     WHERE account_id = $1 AND id = $2`,
    [tx.accountId, send.id, state, answer, retryAt, LOOK_MINUTES],
  );
  const entry = late ? saidLate(send, `it was not sent: ${error.message}`) : entryOf(send, state, error);
  if (entry) await noteEvents(tx, [entry]);
  if (send.retryUntil || late) await touchDraft(tx, send.messageId);
}

function nextTry({ retryUntil, tries }: ClaimedSend, { status }: DomainError, now: number): Date | null {
  if (!retryUntil || !PASSING.has(status)) return null;
  const at = new Date(now + backOffMs(tries + 1 + PATIENCE));
  return at <= retryUntil ? at : null;
}

/** What became of one of which nobody knew. */
export const saidLate = ({ id, messageId }: ClaimedSend, outcome: string): LogEntry => ({
  level: 'info',
  kind: 'send.settled',
  message: `The server said late what it did with a message: ${outcome}`,
  details: { sendId: id, messageId },
});

/** Who waited was told. */
function entryOf(send: ClaimedSend, state: SendState, { message: reason }: DomainError): LogEntry | null {
  const details = { sendId: send.id, messageId: send.messageId };
  if (state === 'unknown') {
    const message = 'A message may or may not have been sent: the server took it and did not answer.';
    return { level: 'error', kind: 'send.unknown', message, details };
  }
  if (state !== 'failed' || !send.retryUntil) return null;
  const message = `A message that was to be sent at its time was not sent: ${reason}`;
  return { level: 'error', kind: 'send.failed', message, details };
}
