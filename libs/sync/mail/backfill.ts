import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { Reader } from '#libs/database/reader.js';
import { YoungTables } from '#libs/database/young-tables.js';

import type { FolderRef } from './ingest.js';
import { readCopies } from './read-copies.js';
import type { DriverSource, ReadOutcome } from './read-messages.js';
import { storeBatch } from './store-batch.js';

/** Messages a transaction: beyond this, batches gain nothing (docs/benchmarks.md). */
const BATCH = 120;
/** A claim that is not renewed for this long belongs to a dead worker. */
const CLAIM_SECONDS = 120;

interface ClaimedRange {
  readonly id: string;
  readonly folder: FolderRef;
  readonly owner: string;
  readonly uidValidity: string;
  readonly low: number;
  readonly next: number;
  /** Times it was claimed without any progress. */
  readonly failures: number;
}

/** Thrown when somebody else has taken the range: our claim ran out, the folder was reset, or the account removed. */
class RangeLost extends Error {}

/**
 * Reads old mail, range by range, newest first. A range's row moves down in the transaction that stores the mail, so
 * a kill at any point costs at most one batch of reading.
 */
@Injectable()
export class Backfill {
  constructor(
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
    private readonly tables: YoungTables,
  ) {}

  /**
   * Works on one account until nothing is left to claim, it is stopped or in trouble, or `until` has passed.
   * @returns whether there may be more to do
   * @throws ProviderError when the server fails; claims then run out by themselves
   */
  async run(accountId: string, source: DriverSource, until: number): Promise<'again' | 'done'> {
    const listings = new Map<string, readonly number[]>();
    while (Date.now() < until) {
      const range = await this.claim(accountId);
      if (!range) return 'done';
      try {
        await this.readRange(accountId, range, source, listings, until);
      } catch (error) {
        if (!(error instanceof RangeLost)) {
          await this.release(accountId, range.id);
          throw error;
        }
      }
    }
    return 'again';
  }

  private async claim(accountId: string): Promise<ClaimedRange | null> {
    const [row] = await this.reader.rows<{
      id: string;
      folder: FolderRef;
      email_address: string;
      uid_validity: string;
      low_uid: string;
      next_uid: string;
      failures: number;
    }>(
      `WITH claimed AS (
         UPDATE backfill_ranges SET claimed_until = now() + make_interval(secs => $2), failures = failures + 1
         WHERE account_id = $1 AND id = (
           SELECT id FROM backfill_ranges
           WHERE account_id = $1 AND (claimed_until IS NULL OR claimed_until < now())
             AND EXISTS (SELECT FROM accounts WHERE id = $1 AND sync_enabled AND sync_state <> 'invalid'
                         AND (sync_retry_at IS NULL OR sync_retry_at <= now()))
           ORDER BY priority, next_uid DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *
       )
       SELECT claimed.id, claimed.uid_validity, claimed.low_uid, claimed.next_uid, claimed.failures - 1 AS failures,
              account.email_address,
              json_build_object('id', folder.id, 'path', folder.path, 'role', folder.role) AS folder
       FROM claimed
       JOIN accounts account ON account.id = claimed.account_id
       JOIN categories folder ON folder.account_id = claimed.account_id AND folder.id = claimed.folder_id`,
      [accountId, CLAIM_SECONDS],
      'claim-range',
    );
    if (!row) return null;
    return {
      id: row.id,
      folder: row.folder,
      owner: canonicalEmail(row.email_address),
      uidValidity: row.uid_validity,
      low: Number(row.low_uid),
      next: Number(row.next_uid),
      failures: row.failures,
    };
  }

  private async release(accountId: string, id: string): Promise<void> {
    await this.reader.rows(
      'UPDATE backfill_ranges SET claimed_until = NULL WHERE account_id = $1 AND id = $2',
      [accountId, id],
      'release-range',
    );
  }

  private async readRange(
    accountId: string,
    range: ClaimedRange,
    source: DriverSource,
    listings: Map<string, readonly number[]>,
    until: number,
  ): Promise<void> {
    const uids = await this.uidsOf(accountId, range, source, listings);
    const batches = batchesOf(uids, range.failures);
    let expected = range.next;
    for (const batch of batches) {
      const outcome = await readCopies(source, range.folder, batch);
      const last = batch === batches.at(-1);
      const next = last ? range.low - 1 : batch.at(-1)! - 1;
      const wanted = await this.store(accountId, range, outcome, { expected, next });
      expected = next;
      if (!last && !(wanted && Date.now() < until)) return this.release(accountId, range.id);
    }
    if (batches.length === 0) {
      await this.store(
        accountId,
        range,
        { messages: [], unreadable: [], absent: [] },
        { expected, next: range.low - 1 },
      );
    }
  }

  /** The range's uids, newest first. The folder's listing is asked for once a slice. */
  private async uidsOf(
    accountId: string,
    range: ClaimedRange,
    source: DriverSource,
    listings: Map<string, readonly number[]>,
  ): Promise<number[]> {
    let listing = listings.get(range.folder.id);
    if (!listing) {
      const driver = await source.get();
      const { cursor } = await driver.newest(range.folder.path, 0);
      if (cursor.uidValidity !== range.uidValidity) {
        await this.reader.rows('DELETE FROM backfill_ranges WHERE account_id = $1 AND id = $2', [accountId, range.id]);
        throw new RangeLost(`folder ${range.folder.id} was renumbered`);
      }
      listing = cursor.messages === 0 ? [] : await driver.uids(range.folder.path);
      listings.set(range.folder.id, listing);
    }
    return listing.filter((uid) => uid >= range.low && uid <= range.next).toSorted((a, b) => b - a);
  }

  /** @returns whether the account is still to be synced */
  private async store(
    accountId: string,
    range: ClaimedRange,
    outcome: ReadOutcome,
    position: { readonly expected: number; readonly next: number },
  ): Promise<boolean> {
    let wanted = true;
    const target = { accountId, folder: range.folder, owner: range.owner, uidNext: null };
    await storeBatch(this.writer, target, outcome, async (tx) => {
      wanted = await moveRange(tx, range, position.expected, position.next);
    });
    await this.tables.look();
    return wanted;
  }
}

/** A range that was claimed twice without progress is read in small bites, then message by message. */
function batchesOf(uids: readonly number[], failures: number): number[][] {
  const size = failures < 2 ? BATCH : failures < 3 ? 20 : 1;
  const batches: number[][] = [];
  for (let at = 0; at < uids.length; at += size) batches.push(uids.slice(at, at + size));
  return batches;
}

/** @returns whether the account is still to be synced @throws RangeLost */
async function moveRange(tx: Tx, range: ClaimedRange, expected: number, next: number): Promise<boolean> {
  const wanted = '(SELECT sync_enabled FROM accounts WHERE id = $1) AS wanted';
  const rows =
    next >= range.low
      ? await tx.query<{ wanted: boolean }>(
          `UPDATE backfill_ranges
           SET next_uid = $4, failures = 0, claimed_until = now() + make_interval(secs => $5)
           WHERE account_id = $1 AND id = $2 AND next_uid = $3 RETURNING ${wanted}`,
          [tx.accountId, range.id, expected, next, CLAIM_SECONDS],
        )
      : await tx.query<{ wanted: boolean }>(
          `DELETE FROM backfill_ranges WHERE account_id = $1 AND id = $2 AND next_uid = $3 RETURNING ${wanted}`,
          [tx.accountId, range.id, expected],
        );
  if (!rows[0]) throw new RangeLost(`range ${range.id} was taken over`);
  if (next >= range.low) return rows[0].wanted;
  await tx.query(
    `UPDATE folder_syncs SET state = 'running', swept_at = NULL
     WHERE account_id = $1 AND folder_id = $2 AND state = 'backfill'
       AND NOT EXISTS (SELECT FROM backfill_ranges WHERE account_id = $1 AND folder_id = $2)`,
    [tx.accountId, range.folder.id],
  );
  return rows[0].wanted;
}
