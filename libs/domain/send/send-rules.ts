import type { Tx } from '#libs/changes/account-writer.js';
import { Conflict, DomainError, InvalidRequest } from '#libs/common/errors.js';
import type { Participant } from '#libs/common/participants.js';
import type { SendState } from '#libs/database/send.entity.js';

import { type Writability, writeRefusal } from '../accounts/write-refusal.js';

const ADDRESS = /^[^\s@<>,;"()]+@[^\s@<>,;"()]+$/;

/** @throws DomainError 403 */
export async function mustBeAbleToSend(tx: Tx): Promise<void> {
  const [account] = await tx.query<Writability & { smtp: boolean }>(
    `SELECT sync_state AS state, sync_enabled AS enabled, settings->'smtp' <> 'null' AS smtp FROM accounts WHERE id = $1`,
    [tx.accountId],
  );
  const refusal = account ? writeRefusal(account) : null;
  if (refusal) throw refusal;
  if (!account?.smtp) throw new DomainError(403, 'api_error', 'The account has no SMTP server to send by.');
}

interface OpenSend {
  readonly id: string;
  readonly state: SendState;
}

/** One that may have been sent is looked for first; another version of it is another message. @throws Conflict */
export async function mustNotBeOnItsWay(tx: Tx, messageId: string, messageIdHeader: string | null): Promise<void> {
  const [open] = await tx.query<OpenSend>(
    `SELECT id, state FROM sends WHERE account_id = $1 AND message_id = $2 AND (
       state IN ('pending', 'scheduled', 'sending', 'committing', 'sent')
       OR state = 'unknown' AND settled_at IS NULL AND message_id_header = $3) LIMIT 1`,
    [tx.accountId, messageId, messageIdHeader],
  );
  if (open?.state === 'unknown') {
    throw new Conflict(`Draft ${messageId} may have been sent already; a copy of it is being looked for`);
  }
  if (open?.state === 'scheduled') throw scheduled(messageId, open.id);
  if (open) throw new Conflict(`Draft ${messageId} is being sent, or was sent`);
}

/** A draft on its way stays as it is. @throws Conflict */
export async function mustNotBeSending(tx: Tx, messageId: string): Promise<void> {
  const [open] = await tx.query<OpenSend>(
    `SELECT id, state FROM sends WHERE account_id = $1 AND message_id = $2
       AND state IN ('pending', 'scheduled', 'sending', 'committing') LIMIT 1`,
    [tx.accountId, messageId],
  );
  if (open?.state === 'scheduled') throw scheduled(messageId, open.id);
  if (open) throw new Conflict(`Draft ${messageId} is being sent`);
}

const scheduled = (messageId: string, sendId: string): Conflict =>
  new Conflict(`Draft ${messageId} is to be sent later; cancel that first (DELETE /outbox/${sendId})`);

/** Of a message that names nobody as its sender the account's owner is. */
export function mustHaveSender([sender]: readonly Participant[]): void {
  if (sender && !ADDRESS.test(sender.email))
    throw new InvalidRequest(`Invalid sender address ${sender.email.slice(0, 60)} (from)`);
}

type Recipients = Readonly<Record<'to' | 'cc' | 'bcc', readonly Participant[]>>;

export function mustHaveRecipients({ to, cc, bcc }: Recipients): void {
  const all = [...to, ...cc, ...bcc];
  if (all.length === 0) throw new InvalidRequest('No recipients specified (to, cc, bcc)');
  const bad = all.find(({ email }) => !ADDRESS.test(email));
  if (bad) throw new InvalidRequest(`Invalid recipient address ${bad.email.slice(0, 60)} (to, cc, bcc)`);
}
