import { Injectable } from '@nestjs/common';

import type { Tx } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';
import type { SendState } from '#libs/database/send.entity.js';
import type { OutgoingContent, SendOutcome } from '#libs/domain/send/outgoing.js';

/** A worker that does not renew its claim for so long has died. */
const CLAIM_SECONDS = 20;
/** More of an account at a time would only wait for its connections, and keep others from being sent. */
const MOST_OF_AN_ACCOUNT = 3;

/** A message on its way, as the worker that took it up knows it. */
export interface ClaimedSend {
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly content: OutgoingContent | null;
  /** Of the account. */
  readonly provider: string;
  /** Which claim this is: after the next one this one counts no more. */
  readonly claims: number;
  /** That failed since its time was set. */
  readonly tries: number;
  /** Null when somebody waits for it: then it is not tried again. */
  readonly retryUntil: Date | null;
}

export interface AbandonedSend extends ClaimedSend {
  readonly state: SendState;
}

const CLAIMED = `id, account_id AS "accountId", message_id AS "messageId", content, claims, retry_until AS "retryUntil",
  coalesce((answer->>'tries')::integer, 0) AS tries,
  (SELECT provider FROM accounts WHERE accounts.id = account_id) AS provider`;

/** Rows of `sends`, as the worker moves them on. Each step is taken by one worker, once. */
@Injectable()
export class SendStore {
  constructor(private readonly reader: Reader) {}

  /** Null when somebody else has it, or it was cancelled. */
  async claim(accountId: string, id: string): Promise<ClaimedSend | null> {
    const [row] = await this.reader.rows<ClaimedSend>(
      `UPDATE sends SET state = 'sending', claims = claims + 1, claimed_until = now() + make_interval(secs => $3)
       WHERE account_id = $1 AND id = $2 AND state = 'pending' RETURNING ${CLAIMED}`,
      [accountId, id, CLAIM_SECONDS],
      'claim-send',
    );
    return row ?? null;
  }

  /** What is due next, whoever's it is; null when nothing is. */
  async claimDue(): Promise<ClaimedSend | null> {
    const [row] = await this.reader.rows<ClaimedSend>(
      `UPDATE sends SET state = 'sending', claims = claims + 1, claimed_until = now() + make_interval(secs => $1)
       WHERE (account_id, id) = (
         SELECT account_id, id FROM sends WHERE state = 'scheduled' AND due_at <= now() AND account_id NOT IN (
           SELECT account_id FROM sends WHERE state IN ('sending', 'committing')
           GROUP BY account_id HAVING count(*) >= ${MOST_OF_AN_ACCOUNT}
         )
         ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING ${CLAIMED}`,
      [CLAIM_SECONDS],
      'claim-due-send',
    );
    return row ?? null;
  }

  async renew({ accountId, id, claims }: ClaimedSend): Promise<void> {
    await this.reader.rows(
      `UPDATE sends SET claimed_until = now() + make_interval(secs => $4)
       WHERE account_id = $1 AND id = $2 AND claims = $3 AND state IN ('sending', 'committing')`,
      [accountId, id, claims, CLAIM_SECONDS],
      'renew-send',
    );
  }

  /**
   * From here on nobody tries again.
   * @param read what it is, when the worker knows that better than who asked
   * @throws Error when it is not ours any more: then nothing may be sent
   */
  async commit({ accountId, id, claims }: ClaimedSend, read: OutgoingContent | null): Promise<void> {
    const rows = await this.reader.rows(
      `UPDATE sends SET state = 'committing', content = coalesce($4, content)
       WHERE account_id = $1 AND id = $2 AND claims = $3 AND state = 'sending' AND claimed_until > now() RETURNING id`,
      [accountId, id, claims, read && JSON.stringify(read)],
      'commit-send',
    );
    if (rows.length === 0) throw new Error('the claim of a message on its way has run out');
  }

  /** What was left by workers that died. */
  async abandoned(): Promise<AbandonedSend[]> {
    return this.reader.rows(
      `SELECT ${CLAIMED}, state FROM sends
       WHERE (state IN ('sending', 'committing') AND claimed_until < now())
          OR (state = 'pending' AND created_at < now() - interval '3 minutes') LIMIT 100`,
      [],
      'abandoned-sends',
    );
  }
}

/** It was sent. @returns what was known before; null when that was known already */
export async function settleSend(tx: Tx, id: string, failures: SendOutcome['failures']): Promise<SendState | null> {
  const [row] = await tx.query<{ before: SendState }>(
    `UPDATE sends SET state = 'sent', answer = $3, content = NULL, settled_at = now()
     FROM (SELECT state FROM sends WHERE account_id = $1 AND id = $2 FOR UPDATE) AS known
     WHERE account_id = $1 AND id = $2 AND known.state IN ('committing', 'unknown') RETURNING known.state AS before`,
    [tx.accountId, id, JSON.stringify({ failures })],
  );
  return row?.before ?? null;
}
