import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { Conflict, DomainError } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import type { AccountRef } from '../accounts/account-ref.js';

import type { SendOutcome } from './outgoing.js';
import type { Preparation } from './prepared-sends.service.js';
import { type KnownSend, type SendRequest, writeDown } from './send-rows.js';

/** Requests to send: written down first, then done by a worker while the caller waits. At most once, whatever breaks. */
@Injectable()
export class SendRequests {
  constructor(
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    private readonly remote: RemoteCalls,
  ) {}

  /** @throws DomainError as sending went; Conflict for another request under the same key */
  async send(account: AccountRef, prepare: Preparation, request: SendRequest): Promise<SendOutcome> {
    const started = await this.writer.write(account.id, (tx) => writeDown(tx, request, prepare, null), {
      eager: true,
    });
    if (typeof started !== 'string') return toldAgain(started);
    try {
      return await this.remote.call('message.send', { accountId: account.id, sendId: started });
    } catch (error) {
      if (await this.cancelled(account, started)) throw notTaken(error);
      return this.truth(account, started, error);
    }
  }

  /** Whether nobody had begun to send it; then nobody will. */
  private async cancelled(account: AccountRef, sendId: string): Promise<boolean> {
    const rows = await this.reader.rows(
      `UPDATE sends SET state = 'cancelled', settled_at = now(), idempotency_key = NULL
       WHERE account_id = $1 AND id = $2 AND state = 'pending' RETURNING id`,
      [account.id, sendId],
      'cancel-send',
    );
    return rows.length > 0;
  }

  /** A worker had it, and what we heard (or did not hear) from there may not be all. */
  private async truth(account: AccountRef, sendId: string, heard: unknown): Promise<SendOutcome> {
    const [row] = await this.reader.rows<KnownSend>(
      'SELECT id, message_id, state, answer FROM sends WHERE account_id = $1 AND id = $2',
      [account.id, sendId],
      'state-of-send',
    );
    if (row?.state === 'sent') return toldAgain(row);
    if (row?.state === 'failed' || row?.state === 'unknown') throw heard;
    const message =
      'The message is still being sent, or was sent. Look for it among the sent messages before you send it again.';
    throw new DomainError(504, 'api_error', message, { job_status_id: sendId });
  }
}

function toldAgain({ state, message_id: messageId, answer }: KnownSend): SendOutcome {
  if (state === 'sent') return { messageId, failures: answer?.failures ?? {} };
  const { error } = answer ?? {};
  if (error) throw new DomainError(error.status, error.type, error.message, { ...error.details });
  throw new Conflict('A request with this Idempotency-Key is being processed.');
}

function notTaken(error: unknown): unknown {
  const late = error instanceof DomainError && error.status === 504;
  return late ? new DomainError(504, 'api_error', 'Request timed out; the message was not sent.') : error;
}
