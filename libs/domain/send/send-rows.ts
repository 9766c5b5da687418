import type { Tx } from '#libs/changes/account-writer.js';
import { Conflict, type ErrorType } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import type { SendState } from '#libs/database/send.entity.js';

import type { SendOutcome } from './outgoing.js';
import type { Preparation } from './prepared-sends.service.js';
import { mustBeAbleToSend, mustNotBeOnItsWay } from './send-rules.js';

/** A request to send, and the caller's own name for it (`Idempotency-Key`). */
export interface SendRequest {
  readonly key: string | null;
  /** Hex sha-256 of what was asked for, word for word: another request under the same key is refused. */
  readonly hash: string;
}

/** When something is to be sent that nobody waits for. */
export interface Schedule {
  readonly sendAt: Date;
  /** Not tried again after this time. */
  readonly retryUntil: Date;
}

/** A request as it was written down. */
export interface KnownSend {
  readonly id: string;
  readonly message_id: string;
  readonly state: SendState;
  readonly request_hash: string;
  readonly answer: StoredAnswer | null;
}

/** What is told again to a repeated request. */
interface StoredAnswer {
  readonly failures?: SendOutcome['failures'];
  readonly error?: {
    readonly status: number;
    readonly type: ErrorType;
    readonly message: string;
    readonly details: object;
  };
}

/**
 * Writes down what is to be sent, at once or later.
 * @returns its id; or what is known of the request, when it is repeated under its key
 * @throws Conflict for another request under the same key; DomainError when the account cannot send
 */
export async function writeDown(
  tx: Tx,
  { key, hash }: SendRequest,
  prepare: Preparation,
  schedule: Schedule | null,
): Promise<KnownSend | string> {
  const known = key === null ? null : await sameRequest(tx, key, hash);
  if (known) return known;
  await mustBeAbleToSend(tx);
  const { messageId, messageIdHeader, content } = await prepare(tx);
  const id = newId();
  const free = mustNotBeOnItsWay(tx, messageId, messageIdHeader);
  const written = tx.query(
    `INSERT INTO sends (account_id, id, message_id, message_id_header, content, idempotency_key, request_hash, state,
       send_at, original_send_at, due_at, retry_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10)`,
    [
      tx.accountId,
      id,
      messageId,
      messageIdHeader,
      content ? JSON.stringify(content) : null,
      key,
      hash,
      schedule ? 'scheduled' : 'pending',
      schedule?.sendAt ?? null,
      schedule?.retryUntil ?? null,
    ],
  );
  await Promise.all([free, written]);
  return id;
}

async function sameRequest(tx: Tx, key: string, hash: string): Promise<KnownSend | null> {
  const [known] = await tx.query<KnownSend>(
    `SELECT id, message_id, state, request_hash, answer FROM sends
     WHERE account_id = $1 AND idempotency_key = $2 AND created_at > now() - interval '24 hours'`,
    [tx.accountId, key],
  );
  if (!known) {
    await tx.query('UPDATE sends SET idempotency_key = NULL WHERE account_id = $1 AND idempotency_key = $2', [
      tx.accountId,
      key,
    ]);
    return null;
  }
  if (known.request_hash !== hash) throw new Conflict('This Idempotency-Key was used for another request.');
  return known;
}
