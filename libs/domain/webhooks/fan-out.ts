import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';

import { NOTICES } from '#libs/changes/account-events.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { Reader } from '#libs/database/reader.js';
import { inTransaction } from '#libs/database/transaction.js';

import { DELIVERIES_OF_CHANGES } from './fan-out-sql.js';

/** So many changes of an account at a time. */
const PORTION = 500;
const MOST_BEHIND = 5000;

export interface FannedOut {
  /** For which there is something new. */
  readonly webhookIds: readonly string[];
  /** Of which there is more to read. */
  readonly accountIds: readonly string[];
}

const NOTHING: FannedOut = { webhookIds: [], accountIds: [] };

/** Turns the change log into deliveries. */
@Injectable()
export class WebhookFanOut {
  constructor(
    private readonly pool: Pool,
    private readonly reader: Reader,
  ) {}

  /** Whether there is any webhook to tell anything. */
  async isWanted(): Promise<boolean> {
    const rows = await this.reader.rows('SELECT FROM webhooks LIMIT 1', [], 'any-webhook');
    return rows.length > 0;
  }

  /** Accounts whose log goes on where their webhooks have not been told of. */
  async behind(): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT a.id FROM accounts a LEFT JOIN webhook_cursors c ON c.account_id = a.id
       WHERE a.application_id IN (SELECT application_id FROM webhooks) AND a.change_seq > coalesce(c.seq, 0)
       LIMIT ${MOST_BEHIND}`,
      [],
      'accounts-behind',
    );
    return rows.map(({ id }) => id);
  }

  /**
   * The deliveries of the next changes of each account, and its new position, in one transaction: whatever happens,
   * nothing is told twice by it or left out. Accounts that another worker looks at are left to it.
   */
  async run(accountIds: readonly string[]): Promise<FannedOut> {
    if (accountIds.length === 0) return NOTHING;
    return inTransaction(this.pool, async (client) => {
      const cursors = await lock(client, accountIds);
      if (cursors.length === 0) return NOTHING;
      const { rows } = await client.query<{ webhooks: string[] | null; unfinished: string[] | null }>({
        name: 'fan-out',
        text: DELIVERIES_OF_CHANGES,
        values: [
          arrayLiteral(cursors.map(({ account_id: id }) => id)),
          arrayLiteral(cursors.map(({ seq }) => seq)),
          PORTION,
          arrayLiteral(Object.keys(NOTICES)),
          arrayLiteral(Object.values(NOTICES)),
          Date.now().toString(36).padStart(9, '0'),
        ],
      });
      return { webhookIds: rows[0]?.webhooks ?? [], accountIds: rows[0]?.unfinished ?? [] };
    });
  }
}

/** An account without a position was connected after its application had a webhook: all of its log is news. */
async function lock(client: PoolClient, accountIds: readonly string[]): Promise<{ account_id: string; seq: string }[]> {
  const ids = arrayLiteral(accountIds);
  await client.query({
    name: 'first-cursors',
    text: `INSERT INTO webhook_cursors (account_id, seq)
      SELECT a.id, 0 FROM accounts a WHERE a.id = ANY($1) AND a.application_id IN (SELECT application_id FROM webhooks)
        AND NOT EXISTS (SELECT FROM webhook_cursors c WHERE c.account_id = a.id)
      ORDER BY a.id ON CONFLICT DO NOTHING`,
    values: [ids],
  });
  const { rows } = await client.query<{ account_id: string; seq: string }>({
    name: 'lock-cursors',
    text: `SELECT c.account_id, c.seq FROM webhook_cursors c JOIN accounts a ON a.id = c.account_id
      WHERE c.account_id = ANY($1) AND a.change_seq > c.seq
        AND a.application_id IN (SELECT application_id FROM webhooks)
      ORDER BY c.account_id FOR UPDATE OF c SKIP LOCKED`,
    values: [ids],
  });
  return rows;
}
