import { Injectable } from '@nestjs/common';

import type { Tx } from '#libs/changes/account-writer.js';
import type { DomainError } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';
import type { SendState } from '#libs/database/send.entity.js';
import type { OutgoingContent, SendOutcome } from '#libs/domain/send/outgoing.js';

/** A worker that does not renew its claim for so long has died. */
const CLAIM_SECONDS = 20;

export interface ClaimedSend {
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly content: OutgoingContent | null;
}

/** Rows of `sends`, as the worker moves them on. Each step is taken by one worker, once. */
@Injectable()
export class SendStore {
  constructor(private readonly reader: Reader) {}

  /** Null when somebody else has it, or it was cancelled. */
  async claim(accountId: string, id: string): Promise<ClaimedSend | null> {
    const [row] = await this.reader.rows<ClaimedSend>(
      `UPDATE sends SET state = 'sending', claimed_until = now() + make_interval(secs => $3)
       WHERE account_id = $1 AND id = $2 AND state = 'pending'
       RETURNING id, account_id AS "accountId", message_id AS "messageId", content`,
      [accountId, id, CLAIM_SECONDS],
      'claim-send',
    );
    return row ?? null;
  }

  async renew({ accountId, id }: ClaimedSend): Promise<void> {
    await this.reader.rows(
      `UPDATE sends SET claimed_until = now() + make_interval(secs => $3)
       WHERE account_id = $1 AND id = $2 AND state IN ('sending', 'committing')`,
      [accountId, id, CLAIM_SECONDS],
      'renew-send',
    );
  }

  /** From here on nobody tries again. @throws Error when it is not ours any more: then nothing may be sent */
  async commit({ accountId, id }: ClaimedSend): Promise<void> {
    const rows = await this.reader.rows(
      `UPDATE sends SET state = 'committing'
       WHERE account_id = $1 AND id = $2 AND state = 'sending' AND claimed_until > now() RETURNING id`,
      [accountId, id],
      'commit-send',
    );
    if (rows.length === 0) throw new Error('the claim of a message on its way has run out');
  }

  async failed(
    { accountId, id }: ClaimedSend,
    state: 'failed' | 'unknown',
    error: DomainError,
    from: readonly SendState[] = ['sending', 'committing'],
  ): Promise<void> {
    const { status, type, message, details } = error;
    await this.reader.rows(
      `UPDATE sends SET state = $3, answer = $4, content = NULL, settled_at = now()
       WHERE account_id = $1 AND id = $2 AND state = ANY($5)`,
      [accountId, id, state, JSON.stringify({ error: { status, type, message, details } }), from],
      'failed-send',
    );
  }

  /** What was left by workers that died. */
  async abandoned(): Promise<{ readonly accountId: string; readonly id: string; readonly state: SendState }[]> {
    return this.reader.rows(
      `SELECT account_id AS "accountId", id, state FROM sends
       WHERE (state IN ('sending', 'committing') AND claimed_until < now())
          OR (state = 'pending' AND created_at < now() - interval '3 minutes') LIMIT 100`,
      [],
      'abandoned-sends',
    );
  }
}

export async function settleSend(tx: Tx, id: string, failures: SendOutcome['failures']): Promise<void> {
  await tx.query(
    `UPDATE sends SET state = 'sent', answer = $3, content = NULL, settled_at = now()
     WHERE account_id = $1 AND id = $2 AND state = 'committing'`,
    [tx.accountId, id, JSON.stringify({ failures })],
  );
}
