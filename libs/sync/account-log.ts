import { Injectable } from '@nestjs/common';

import type { LogEntry } from '#libs/changes/account-events.js';
import { newId } from '#libs/common/ids.js';
import { Reader } from '#libs/database/reader.js';

/** What an account's owner sees of its sync: kept two weeks, shown by GET /status and the dashboard. */
@Injectable()
export class AccountLog {
  constructor(private readonly reader: Reader) {}

  async add(accountId: string, entry: LogEntry): Promise<void> {
    await this.reader.rows(
      'INSERT INTO account_events (account_id, id, level, kind, message, details) VALUES ($1, $2, $3, $4, $5, $6)',
      [accountId, newId(), entry.level, entry.kind, entry.message, entry.details ?? null],
      'account-log-add',
    );
  }

  /** Whether a session failed like this within the last day, but not more recently than `beforeMs` ago. */
  async failedBefore(accountId: string, errorKind: string, beforeMs: number): Promise<boolean> {
    const rows = await this.reader.rows(
      `SELECT FROM account_events WHERE account_id = $1 AND kind = 'session.failed' AND details->>'kind' = $2
         AND at BETWEEN now() - interval '1 day' AND now() - make_interval(secs => $3) LIMIT 1`,
      [accountId, errorKind, beforeMs / 1000],
      'account-log-failed-before',
    );
    return rows.length > 0;
  }

  /** Removes entries older than two weeks. */
  async prune(): Promise<void> {
    await this.reader.rows(`DELETE FROM account_events WHERE at < now() - interval '14 days'`);
  }
}
