import { Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { SecretBox } from '#libs/common/secret-box.js';
import type { SyncState } from '#libs/database/account.entity.js';
import { Reader } from '#libs/database/reader.js';
import { JobQueue } from '#libs/queues/job-queue.js';

import { removeAccountRows } from './remove-account-rows.js';

export interface ConnectRequest {
  readonly applicationId: string;
  readonly email: string;
  readonly name: string;
  /** As on the wire: `imap`, `yahoo`, … */
  readonly provider: string;
  /** Which drivers serve it. */
  readonly kind: string;
  /** MailSettings; stored as it is, so it must hold no secret. */
  readonly settings: object;
  /** GrantSecret; sealed before it is stored. */
  readonly secret: object;
}

export interface AccountSummary {
  readonly id: string;
  readonly applicationId: string;
  readonly emailAddress: string;
  readonly name: string;
  readonly provider: string;
  readonly kind: string;
  readonly settings: unknown;
  readonly organizationUnit: 'folder' | 'label';
  readonly syncState: SyncState;
  readonly syncStateReason: string | null;
  readonly linkedAt: Date;
}

export interface AccountProgress extends AccountSummary {
  /** Messages on the server, over all folders seen so far. */
  readonly total: number;
  /** Of those, messages that can be read here. */
  readonly synced: number;
}

/** How long a deleted account can come back. */
export const KEPT_DAYS = 30;
/** A session notices within two seconds that its epoch has passed. */
const OLD_SESSION_ENDS_MS = 2500;

const SUMMARY = `a.id, a.application_id AS "applicationId", a.email_address AS "emailAddress", a.name, a.provider, a.kind,
  a.settings, a.organization_unit AS "organizationUnit", a.sync_state AS "syncState",
  a.sync_state_reason AS "syncStateReason", a.linked_at AS "linkedAt"`;

/** Connecting, switching and removing accounts. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    private readonly box: SecretBox,
    private readonly queue: JobQueue,
  ) {}

  /**
   * Stores an account whose credentials were checked. The same mailbox of the same application keeps its id and its
   * mail: grant and settings are replaced and sync begins anew with them.
   */
  async connect(request: ConnectRequest): Promise<AccountSummary> {
    for (;;) {
      const existing = await this.byEmail(request.applicationId, request.email);
      const id = existing?.id ?? newId();
      const connected = await this.writer.write(id, async (tx) => {
        const done = existing ? await reconnect(tx, request) : await create(tx, request);
        if (!done) return false;
        await this.storeGrant(tx, request.secret);
        await log(tx, existing ? 'account.reconnected' : 'account.connected', 'The account was connected.');
        tx.changes.record(existing ? 'modify' : 'create', 'account', id);
        this.wakeAfter(tx, existing !== null);
        return true;
      });
      // Otherwise somebody else connected or removed the same mailbox in this moment: look again.
      if (connected) return this.get(id);
    }
  }

  /** @throws NotFound */
  async get(id: string): Promise<AccountSummary> {
    const [account] = await this.reader.rows<AccountSummary>(`SELECT ${SUMMARY} FROM accounts a WHERE a.id = $1`, [id]);
    if (!account) throw new NotFound('account', id);
    return account;
  }

  async byEmail(applicationId: string, email: string): Promise<AccountSummary | null> {
    const [account] = await this.reader.rows<AccountSummary>(
      `SELECT ${SUMMARY} FROM accounts a WHERE a.application_id = $1 AND a.email_key = $2`,
      [applicationId, canonicalEmail(email)],
    );
    return account ?? null;
  }

  /** Accounts of every application with this id or address. */
  async find(idOrEmail: string): Promise<AccountSummary[]> {
    return this.reader.rows<AccountSummary>(
      `SELECT ${SUMMARY} FROM accounts a WHERE a.id = $1 OR a.email_key = $2 ORDER BY a.id`,
      [idOrEmail.toLowerCase(), canonicalEmail(idOrEmail)],
    );
  }

  /** Every account with how far its first sync has come, oldest first. */
  async list(): Promise<AccountProgress[]> {
    return this.reader.rows<AccountProgress>(
      `SELECT ${SUMMARY},
         coalesce(folders.total, 0)::int AS total, coalesce(folders.synced, 0)::int AS synced
       FROM accounts a
       LEFT JOIN (SELECT account_id, sum(total) AS total, sum(synced) AS synced FROM folder_syncs GROUP BY 1) AS folders
         ON folders.account_id = a.id
       ORDER BY a.id`,
    );
  }

  /**
   * Lets sync run (again), of a deleted account too. Harmless when it does.
   * @throws NotFound for one that is gone, or was deleted more than `KEPT_DAYS` ago
   */
  async start(id: string): Promise<void> {
    await this.switchSync(id, true, 'account.started', 'Sync was started.');
  }

  /** Stops sync; what was read stays readable. A session in progress can write nothing more. */
  async stop(id: string): Promise<void> {
    await this.switchSync(id, false, 'account.stopped', 'Sync was stopped.');
  }

  /**
   * Stops sync and ends every token, and nobody reads the account any more. What was read is kept for `KEPT_DAYS`: until
   * then it comes back, with all its ids, when the mailbox is connected again or sync is started.
   */
  async delete(id: string): Promise<void> {
    await this.writer.write(id, async (tx) => {
      const deleted = await tx.query(
        `UPDATE accounts SET sync_enabled = false, sync_epoch = sync_epoch + 1, sync_state = 'stopped',
           sync_state_reason = 'The account was deleted.', billing_state = 'deleted', deleted_at = now(), updated_at = now()
         WHERE id = $1 AND deleted_at IS NULL RETURNING id`,
        [id],
      );
      if (deleted.length === 0) return;
      await tx.query('UPDATE access_tokens SET revoked_at = now() WHERE account_id = $1 AND revoked_at IS NULL', [id]);
      await tx.query('DELETE FROM auth_codes WHERE account_id = $1', [id]);
      await log(tx, 'account.deleted', `The account was deleted. It can come back for ${KEPT_DAYS} days.`);
      tx.changes.record('modify', 'account', id);
    });
  }

  /** Replaces what the application keeps with the account. */
  async setMetadata(id: string, metadata: object): Promise<void> {
    await this.writer.write(id, (tx) =>
      tx.query('UPDATE accounts SET metadata = $2, updated_at = now() WHERE id = $1', [id, JSON.stringify(metadata)]),
    );
  }

  /**
   * Removes the account with everything that belongs to it. Its tokens die first; a removal that was interrupted is
   * finished by removing again. Blobs are left to expire: other accounts may share them.
   */
  async remove(id: string): Promise<void> {
    await this.get(id);
    await this.writer.write(id, async (tx) => {
      await tx.query(
        `UPDATE accounts SET sync_enabled = false, sync_state = 'stopped', sync_epoch = sync_epoch + 1 WHERE id = $1`,
        [id],
      );
    });
    await removeAccountRows(this.writer, id);
  }

  private async switchSync(id: string, on: boolean, kind: string, message: string): Promise<void> {
    await this.writer.write(id, async (tx) => {
      const changed = await tx.query(
        `UPDATE accounts SET sync_enabled = $2, sync_epoch = sync_epoch + 1, sync_state_reason = NULL, updated_at = now(),
           sync_failures = 0, sync_retry_at = NULL, sync_seen_at = NULL, deleted_at = NULL,
           sync_state = CASE WHEN $2 THEN 'initializing' ELSE 'stopped' END,
           billing_state = CASE WHEN $2 THEN 'paid' ELSE 'cancelled' END
         WHERE id = $1 AND (sync_enabled IS DISTINCT FROM $2 OR sync_state IN ('invalid', 'sync_error'))
           AND (deleted_at IS NULL OR ($2 AND deleted_at > now() - make_interval(days => $3))) RETURNING id`,
        [id, on, KEPT_DAYS],
      );
      if (changed.length > 0) {
        await log(tx, kind, message);
        tx.changes.record('modify', 'account', id);
      } else if (on) await mustBeThere(tx);
      if (on) this.wakeAfter(tx, true);
    });
  }

  private async storeGrant(tx: Tx, secret: object): Promise<void> {
    await tx.query(
      `INSERT INTO grants (account_id, sealed) VALUES ($1, $2)
       ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, updated_at = now()`,
      [tx.accountId, this.box.seal(JSON.stringify(secret), tx.accountId)],
    );
  }

  /** @param sessionMayLive whether an older session may still run: its job would absorb the new one, so it ends first */
  private wakeAfter(tx: Tx, sessionMayLive: boolean): void {
    const { accountId } = tx;
    tx.afterCommit(() =>
      sessionMayLive
        ? this.queue.continue('account.watch', { accountId }, OLD_SESSION_ENDS_MS)
        : this.queue.add('account.watch', { accountId }),
    );
  }
}

/** @throws NotFound */
async function mustBeThere(tx: Tx): Promise<void> {
  const there = await tx.query('SELECT FROM accounts WHERE id = $1 AND deleted_at IS NULL', [tx.accountId]);
  if (there.length === 0) throw new NotFound('account', tx.accountId);
}

/** @returns false when the mailbox was connected by somebody else meanwhile */
async function create(tx: Tx, request: ConnectRequest): Promise<boolean> {
  const created = await tx.query(
    `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
       organization_unit, sync_state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'folder', 'initializing')
     ON CONFLICT (application_id, email_key) DO NOTHING RETURNING id`,
    [
      tx.accountId,
      request.applicationId,
      request.email.trim(),
      canonicalEmail(request.email),
      request.name,
      request.provider,
      request.kind,
      JSON.stringify(request.settings),
    ],
  );
  return created.length > 0;
}

/** The epoch is raised so that a session with the old grant stops. @returns false when the account is gone, or going */
async function reconnect(tx: Tx, request: ConnectRequest): Promise<boolean> {
  const updated = await tx.query(
    `UPDATE accounts SET email_address = $2, name = $3, provider = $4, kind = $5, settings = $6,
       sync_state = 'initializing', sync_state_reason = NULL, sync_enabled = true, sync_epoch = sync_epoch + 1,
       sync_failures = 0, sync_retry_at = NULL, sync_seen_at = NULL, billing_state = 'paid', deleted_at = NULL,
       updated_at = now()
     WHERE id = $1 AND email_key = $7 RETURNING id`,
    [
      tx.accountId,
      request.email.trim(),
      request.name,
      request.provider,
      request.kind,
      JSON.stringify(request.settings),
      canonicalEmail(request.email),
    ],
  );
  return updated.length > 0;
}

const log = (tx: Tx, kind: string, message: string): Promise<void> =>
  noteEvents(tx, [{ level: 'info', kind, message }]);
