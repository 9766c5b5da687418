import { newId } from '#libs/common/ids.js';

import type { Tx } from './account-writer.js';

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
  await tx.query(
    `INSERT INTO account_events (account_id, id, level, kind, message, details)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])`,
    [
      tx.accountId,
      entries.map(() => newId()),
      entries.map(({ level }) => level),
      entries.map(({ kind }) => kind),
      entries.map(({ message }) => message),
      entries.map(({ details }) => (details ? JSON.stringify(details) : null)),
    ],
  );
}
