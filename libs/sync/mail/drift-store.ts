import { Inject, Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import { AccountWriter } from '#libs/changes/account-writer.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import type { Places } from './compare-places.js';
import type { SyncedAccount } from './folder-pass.js';
import { REST, RESTING, type StoredFolder } from './folder-store.js';

/** A folder of which some messages may be tried again. */
export interface RestedPoison {
  readonly folderId: string;
  readonly uids: readonly number[];
  /** The database's time when this was read. */
  readonly at: Date;
}

export interface Repaired {
  readonly added: number;
  readonly reflagged: number;
  readonly removed: number;
}

/** Messages that are tried again at a time. */
const MAX_RETRIES = 100;

/** Folders that can be compared: read to their end, in order, and while none of the account's old mail is waiting. */
const COMPARABLE = `sync.account_id = $1 AND sync.cursor IS NOT NULL AND sync.state <> 'waiting'
  AND (sync.retry_at IS NULL OR sync.retry_at <= now())
  AND NOT EXISTS (SELECT FROM backfill_ranges waiting WHERE waiting.account_id = $1)`;

/** What the store says about comparisons, and remembers of them. */
@Injectable()
export class DriftStore {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
  ) {}

  /** The folder whose comparison is longest overdue; null when none is. @param since a check before does not count */
  async due(accountId: string, since: Date | null): Promise<string | null> {
    const [row] = await this.reader.rows<{ folder_id: string }>(
      `SELECT folder_id FROM folder_syncs sync
       WHERE ${COMPARABLE} AND (drift_checked_at IS NULL
         OR drift_checked_at < greatest($2::timestamptz, now() - make_interval(secs => $3)))
       ORDER BY drift_checked_at NULLS FIRST, folder_id LIMIT 1`,
      [accountId, since, this.config.SYNC_DRIFT_CHECK_SECONDS],
      'drift-due',
    );
    return row?.folder_id ?? null;
  }

  /** Messages of one folder that could not be read and have rested long enough; null when there are none. */
  async rested(accountId: string): Promise<RestedPoison | null> {
    const [row] = await this.reader.rows<{ folder_id: string; uids: string[]; at: Date }>(
      `SELECT folder_id, (array_agg(uid ORDER BY updated_at))[:${MAX_RETRIES}] AS uids, now() AS at
       FROM poison_uids JOIN folder_syncs sync USING (account_id, folder_id)
       WHERE ${COMPARABLE} AND NOT (${RESTING}) GROUP BY folder_id LIMIT 1`,
      [accountId],
      'rested-poison',
    );
    return row ? { folderId: row.folder_id, uids: row.uids.map(Number), at: row.at } : null;
  }

  /**
   * Milliseconds until something is due that is not due yet, a second at least; null when there is nothing of that
   * kind. What fell due a moment ago counts: it may have done so after it was looked for.
   */
  async nextIn(accountId: string): Promise<number | null> {
    const [row] = await this.reader.rows<{ ms: number | null }>(
      `SELECT greatest(1000, extract(epoch FROM min(due) - now()) * 1000)::float8 AS ms FROM (
         SELECT drift_checked_at + make_interval(secs => $2) AS due FROM folder_syncs WHERE account_id = $1
         UNION ALL SELECT updated_at + ${REST} FROM poison_uids WHERE account_id = $1
       ) AS dates WHERE due > now() - interval '10 seconds'`,
      [accountId, this.config.SYNC_DRIFT_CHECK_SECONDS],
      'drift-next',
    );
    return row?.ms ?? null;
  }

  /** Forgets those that were tried and not complained of again: they have been read, or are gone. */
  async forgetTried(account: SyncedAccount, { folderId, uids, at }: RestedPoison): Promise<void> {
    await this.writer.write(
      account.id,
      (tx) =>
        tx.query(
          `DELETE FROM poison_uids WHERE account_id = $1 AND folder_id = $2 AND uid = ANY($3) AND updated_at < $4`,
          [account.id, folderId, uids.map(String), at],
        ),
      { epoch: account.epoch },
    );
  }

  /** The checksum of our uids from `low` to `high`, made where they are: see `digestOf`. */
  async digest(accountId: string, folderId: string, low: number, high: number): Promise<string> {
    const [row] = await this.reader.rows<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(uid || ' ' || flags || chr(10), '' ORDER BY uid), '')) AS digest
       FROM (SELECT uid, coalesce((SELECT string_agg(flag, ' ' ORDER BY flag COLLATE "C")
                                   FROM unnest(flags) AS flag), '') AS flags
             FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid BETWEEN $3 AND $4) AS place`,
      [accountId, folderId, low, high],
      'drift-digest',
    );
    return row!.digest;
  }

  async places(accountId: string, folderId: string, low: number, high: number): Promise<Places> {
    const rows = await this.reader.rows<{ uid: string; flags: string[] }>(
      'SELECT uid, flags FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid BETWEEN $3 AND $4',
      [accountId, folderId, low, high],
      'drift-places',
    );
    return new Map(rows.map((row) => [Number(row.uid), row.flags]));
  }

  /** How many of these uids we hold. */
  async held(accountId: string, folderId: string, uids: readonly number[]): Promise<number> {
    if (uids.length === 0) return 0;
    const [row] = await this.reader.rows<{ count: number }>(
      `SELECT count(*)::int AS count FROM message_uids
       WHERE account_id = $1 AND folder_id = $2 AND uid = ANY($3::bigint[])`,
      [accountId, folderId, uids],
      'drift-held',
    );
    return row!.count;
  }

  /** Counts what was repaired, on the folder and in the account's log. */
  async noteRepaired(account: SyncedAccount, folder: StoredFolder, repaired: Repaired): Promise<void> {
    const count = repaired.added + repaired.reflagged + repaired.removed;
    if (count === 0) return;
    const message = `Folder ${folder.displayName} differed from the mail server in ${count} messages, and was repaired.`;
    await this.writer.write(
      account.id,
      async (tx) => {
        await tx.query(
          'UPDATE folder_syncs SET drift_repaired = drift_repaired + $3 WHERE account_id = $1 AND folder_id = $2',
          [account.id, folder.id, count],
        );
        const details = { folderId: folder.id, ...repaired };
        await noteEvents(tx, [{ level: 'warn', kind: 'folder.drift', message, details }]);
      },
      { epoch: account.epoch },
    );
  }

  async noteChecked(account: SyncedAccount, folderId: string): Promise<void> {
    await this.writer.write(
      account.id,
      (tx) =>
        tx.query(
          `UPDATE folder_syncs folder SET drift_checked_at = now(), synced = (
             SELECT count(*) FROM message_uids
             WHERE account_id = folder.account_id AND folder_id = folder.folder_id AND uid > 0)
           WHERE account_id = $1 AND folder_id = $2`,
          [account.id, folderId],
        ),
      { epoch: account.epoch },
    );
  }
}
