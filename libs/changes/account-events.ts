import { newId } from '#libs/common/ids.js';

import type { Tx } from './account-writer.js';

/** Lines that webhooks tell of, and as what: they get an entry in the change log, which has an order and no gaps. */
export const NOTICES: Readonly<Record<string, string>> = {
  'account.connected': 'account.connected',
  'account.reconnected': 'account.connected',
  'account.running': 'account.running',
  'account.stopped': 'account.stopped',
  'account.deleted': 'account.stopped',
  'account.invalid': 'account.invalid',
  'account.sync_error': 'account.sync_error',
  'message.bounced': 'message.bounced',
};

/** A line of an account's log. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  /** `noun.verb`, e.g. `folder.reset`. */
  readonly kind: string;
  /** One sentence for people. No subjects, addresses, bodies or credentials. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Puts lines into the account's log, in the transaction of what they tell of. */
export async function noteEvents(tx: Tx, entries: readonly LogEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const ids = entries.map(() => newId());
  await tx.query(
    `INSERT INTO account_events (account_id, id, level, kind, message, details)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])`,
    [
      tx.accountId,
      ids,
      entries.map(({ level }) => level),
      entries.map(({ kind }) => kind),
      entries.map(({ message }) => message),
      entries.map(({ details }) => (details ? JSON.stringify(details) : null)),
    ],
  );
  for (const [n, { kind }] of entries.entries()) {
    if (kind in NOTICES) tx.changes.record('create', 'notice', ids[n]!);
  }
}
