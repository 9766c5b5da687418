import { Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import { AccountWriter, Superseded, type Tx } from '#libs/changes/account-writer.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { Reader } from '#libs/database/reader.js';
import { type SyncState, syncStates } from '#libs/database/account.entity.js';
import type { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { AccountLog } from './account-log.js';
import { backOffMs, syncPolicy } from './policy.js';

export interface AccountClaim {
  readonly id: string;
  readonly emailAddress: string;
  /** Writes of this session carry it; a later claim makes them fail. */
  readonly epoch: number;
  /** Nothing of it has been read yet. */
  readonly unread: boolean;
  /** Set, by the database's clock, when nobody watched the account until now or somebody failed to. */
  readonly lostAt: Date | null;
}

interface Progress {
  readonly unread: boolean;
  readonly pending: boolean;
}

const PROGRESS = `NOT EXISTS (SELECT FROM folder_syncs WHERE account_id = $1)
    OR EXISTS (SELECT FROM folder_syncs WHERE account_id = $1 AND cursor IS NULL AND state = 'waiting') AS unread,
  EXISTS (SELECT FROM backfill_ranges WHERE account_id = $1) AS pending`;

const progressState = ({ unread, pending }: Progress): SyncState =>
  unread ? 'initializing' : pending ? 'partial' : 'running';

/** The sync state of accounts: derived from what has been read, set by what failed. */
@Injectable()
export class AccountState {
  constructor(
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
    private readonly log: AccountLog,
  ) {}

  /**
   * Takes an account over. Null when it is stopped, invalid, gone, or not due before a later time. Whoever held it may
   * be dead, so that ranges of old mail are free at once; a reader that lives loses at most one batch of reading.
   */
  async claim(accountId: string): Promise<AccountClaim | null> {
    const [row] = await this.reader.rows<{
      id: string;
      email_address: string;
      sync_epoch: number;
      unread: boolean;
      lost_at: Date | null;
    }>(
      `WITH before AS (
         SELECT now() AS lost_at FROM accounts
         WHERE id = $1 AND (sync_failures > 0 OR sync_seen_at IS NULL OR sync_seen_at < now() - interval '10 seconds')
       ), claimed AS (
         UPDATE accounts SET sync_epoch = sync_epoch + 1, sync_seen_at = now()
         WHERE id = $1 AND sync_enabled AND sync_state <> 'invalid' AND (sync_retry_at IS NULL OR sync_retry_at <= now())
         RETURNING id, email_address, sync_epoch, sync_state = 'initializing' AS unread
       ), freed AS (
         UPDATE backfill_ranges SET claimed_until = NULL
         WHERE account_id = (SELECT id FROM claimed) AND claimed_until IS NOT NULL
       )
       SELECT id, email_address, sync_epoch, unread, lost_at FROM claimed LEFT JOIN before ON true`,
      [accountId],
      'claim-account',
    );
    if (!row) return null;
    const { id, email_address: emailAddress, sync_epoch: epoch, unread, lost_at: lostAt } = row;
    return { id, emailAddress, epoch, unread, lostAt };
  }

  /** Those of `held` (id to epoch) that are not ours to sync any more. The others' sign of life is renewed when it ages. */
  async lost(held: ReadonlyMap<string, number>): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `WITH held AS (
         SELECT * FROM unnest($1::text[], $2::int[]) AS held(id, epoch)
       ), renewed AS (
         UPDATE accounts SET sync_seen_at = now() FROM held
         WHERE accounts.id = held.id AND sync_epoch = held.epoch AND sync_enabled
           AND (sync_seen_at IS NULL OR sync_seen_at < now() - interval '5 seconds')
       )
       SELECT held.id FROM held
       LEFT JOIN accounts ON accounts.id = held.id AND sync_epoch = held.epoch AND sync_enabled
       WHERE accounts.id IS NULL`,
      [arrayLiteral([...held.keys()]), arrayLiteral([...held.values()])],
      'renew-accounts',
    );
    return rows.map((row) => row.id);
  }

  /** Enabled accounts that are due and nobody has been seen with for a while. */
  async abandoned(olderThanSeconds: number): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT id FROM accounts
       WHERE sync_enabled AND sync_state <> 'invalid' AND (sync_retry_at IS NULL OR sync_retry_at <= now())
         AND (sync_seen_at IS NULL OR sync_seen_at < now() - make_interval(secs => $1))`,
      [olderThanSeconds],
      'abandoned-accounts',
    );
    return rows.map((row) => row.id);
  }

  /**
   * Abandoned accounts that nobody else adopts now, though no job for them was seen. Redis goes on handing jobs to a
   * worker that hangs: it had asked for as many as it has room for, and found again they go the same way.
   */
  async adopt(olderThanSeconds: number, atMost: number): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `UPDATE accounts SET sync_seen_at = now() - interval '15 seconds' WHERE id IN (
         SELECT id FROM accounts
         WHERE sync_enabled AND sync_state <> 'invalid'
           AND greatest(coalesce(sync_seen_at, linked_at), sync_retry_at) < now() - make_interval(secs => $1)
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING id`,
      [olderThanSeconds, atMost],
      'adopt-accounts',
    );
    return rows.map((row) => row.id);
  }

  /** When the message that has been without a place longest lost it; null when every message has one. */
  async oldestOrphan(accountId: string): Promise<Date | null> {
    const [row] = await this.reader.rows<{ oldest: Date | null }>(
      'SELECT min(orphaned_at) AS oldest FROM messages WHERE account_id = $1 AND orphaned_at IS NOT NULL',
      [accountId],
      'oldest-orphan',
    );
    return row?.oldest ?? null;
  }

  /** Accounts with old mail to read. */
  async withBackfill(): Promise<string[]> {
    const rows = await this.reader.rows<{ account_id: string }>(
      `SELECT DISTINCT account_id FROM backfill_ranges waiting JOIN accounts ON accounts.id = waiting.account_id
       WHERE sync_enabled AND sync_state <> 'invalid'`,
      [],
      'accounts-with-backfill',
    );
    return rows.map((row) => row.account_id);
  }

  /**
   * After old mail was looked for: `initializing`, `partial` or `running`, as the folders say. An account in trouble
   * stays so: a slice that finds nothing to claim proves nothing.
   */
  async settle(accountId: string): Promise<void> {
    await this.writer.write(accountId, (tx) => this.showProgress(tx, ['initializing', 'partial', 'running']));
  }

  /** After a session has looked at every folder: if there was trouble, it is over. @throws Superseded */
  async recover({ id, epoch }: Pick<AccountClaim, 'id' | 'epoch'>): Promise<void> {
    const [row] = await this.reader.rows<Progress & { state: SyncState; reason: string | null }>(
      `SELECT sync_state AS state, sync_state_reason AS reason, ${PROGRESS} FROM accounts WHERE id = $1`,
      [id],
      'account-progress',
    );
    if (row && row.state === progressState(row) && row.reason === null) return;
    await this.writer.write(id, (tx) => this.showProgress(tx, syncStates), { epoch });
  }

  /** A session lived long enough: earlier failures count no more. */
  async forgive(accountId: string): Promise<void> {
    await this.reader.rows(
      'UPDATE accounts SET sync_failures = 0 WHERE id = $1 AND sync_failures > 0',
      [accountId],
      'forgive-account',
    );
  }

  /**
   * A session failed. Sets the back-off, and the state once the policy believes it.
   * @returns milliseconds until the next try; null when only the owner can help, or somebody else has the account
   */
  async failed({ id, epoch }: Pick<AccountClaim, 'id' | 'epoch'>, error: ProviderError): Promise<number | null> {
    const { kind } = error;
    const { apartMs } = syncPolicy[kind];
    const lasting = apartMs === 0 || (await this.log.failedBefore(id, kind, apartMs));
    try {
      return await this.writer.write(id, (tx) => this.noteFailure(tx, error, lasting), { epoch });
    } catch (superseded) {
      if (superseded instanceof Superseded) return null;
      throw superseded;
    }
  }

  /** @param lasting whether it failed like this before, long enough ago */
  private async noteFailure(tx: Tx, error: ProviderError, lasting: boolean): Promise<number | null> {
    const { state, confirmations, apartMs, afterwards } = syncPolicy[error.kind];
    const { retryAfterMs = 0, serverText = null } = error.options;
    const [row] = await tx.query<{ failures: number }>(
      'UPDATE accounts SET sync_failures = sync_failures + 1 WHERE id = $1 RETURNING sync_failures AS failures',
      [tx.accountId],
    );
    const { failures } = row!;
    const confirmed = failures >= confirmations && lasting;
    // A little more than they must lie apart, so that the next one counts.
    const wait = Math.max(backOffMs(failures), retryAfterMs, confirmed ? 0 : apartMs * 1.1);
    await tx.query('UPDATE accounts SET sync_retry_at = now() + make_interval(secs => $2) WHERE id = $1', [
      tx.accountId,
      wait / 1000,
    ]);
    const level = confirmed ? 'error' : 'warn';
    const details = { kind: error.kind, failures, serverText };
    await noteEvents(tx, [{ level, kind: 'session.failed', message: error.message, details }]);
    if (confirmed) await this.set(tx, state, error.message, syncStates);
    return confirmed && afterwards === 'wait' ? null : wait;
  }

  private async showProgress(tx: Tx, from: readonly SyncState[]): Promise<void> {
    const [row] = await tx.query<Progress>(`SELECT ${PROGRESS}`, [tx.accountId]);
    await this.set(tx, progressState(row!), null, from);
  }

  private async set(tx: Tx, state: SyncState, reason: string | null, from: readonly SyncState[]): Promise<void> {
    const changed = await tx.query(
      `UPDATE accounts SET sync_state = $2, sync_state_reason = $3, updated_at = now()
       WHERE id = $1 AND sync_enabled AND sync_state = ANY($4)
         AND (sync_state, sync_state_reason) IS DISTINCT FROM ($2, $3) RETURNING id`,
      [tx.accountId, state, reason, from],
    );
    if (changed.length === 0) return;
    tx.changes.record('modify', 'account', tx.accountId);
    const level = state === 'invalid' || state === 'sync_error' ? 'error' : 'info';
    await noteEvents(tx, [{ level, kind: `account.${state}`, message: reason ?? `The account is ${state}.` }]);
  }
}
