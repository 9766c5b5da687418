import { Inject, Injectable } from '@nestjs/common';

import { DomainError, NotFound } from '#libs/common/errors.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import type { Page } from '../messages/mail-filter.js';

import type { AccountRef } from './account-ref.js';
import {
  type AccountColumns,
  type AccountView,
  type ExpandedAccountView,
  type NamespaceView,
  type StatusView,
  type StoredServers,
  toAccountView,
  toExpandedAccountView,
  toNamespaceView,
  unixSeconds,
} from './account.view.js';

const COLUMNS = `id, email_address, name, provider, organization_unit, sync_state, linked_at`;
const RECENT_EVENTS = 50;

interface StatusRow extends Pick<AccountColumns, 'id' | 'sync_state'> {
  readonly sync_state_reason: string | null;
  readonly sync_enabled: boolean;
  readonly sync_seen_at: Date | null;
}

interface FolderStatusRow {
  readonly id: string;
  readonly role: string | null;
  readonly display_name: string;
  readonly total: number | null;
  readonly synced: number | null;
  readonly state: StatusView['folders'][number]['state'] | null;
  readonly last_error: string | null;
  readonly passed_at: Date | null;
  readonly drift_checked_at: Date | null;
  readonly drift_repaired: number | null;
}

interface EventRow {
  readonly id: string;
  readonly at: Date;
  readonly level: 'info' | 'warn' | 'error';
  readonly kind: string;
  readonly message: string;
  readonly details: unknown;
}

/** What the API shows of accounts themselves. */
@Injectable()
export class AccountReads {
  constructor(
    private readonly reader: Reader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFound when the account was removed a moment ago. */
  async account(account: AccountRef): Promise<AccountView> {
    return toAccountView(await this.find(account));
  }

  /** The account with its servers. @throws NotFound when it was removed a moment ago. */
  async expandedAccount(account: AccountRef): Promise<AccountView | ExpandedAccountView> {
    const [row] = await this.reader.rows<AccountColumns & { settings: StoredServers }>(
      `SELECT ${COLUMNS}, settings FROM accounts WHERE id = $1`,
      [account.id],
    );
    if (!row) throw new NotFound('account', account.id);
    return toExpandedAccountView(row, row.settings);
  }

  /** @throws NotFound when the account was removed a moment ago. */
  async namespace(account: AccountRef): Promise<NamespaceView> {
    return toNamespaceView(await this.find(account));
  }

  /** The namespaces a token opens: one. */
  async namespaces(account: AccountRef, emailAddress: string | undefined, page: Page): Promise<NamespaceView[]> {
    const row = await this.find(account);
    const wanted = emailAddress === undefined || canonicalEmail(emailAddress) === canonicalEmail(row.email_address);
    return (wanted ? [toNamespaceView(row)] : []).slice(page.offset, page.offset + page.limit);
  }

  /**
   * Every account of this installation, oldest first.
   *
   * @throws DomainError 404 unless DEV_ACCOUNT_ID_AUTH is on: nobody has to sign in for this list.
   */
  async all(emailAddress: string | undefined, page: Page): Promise<AccountView[]> {
    if (!this.config.DEV_ACCOUNT_ID_AUTH) {
      throw new DomainError(404, 'invalid_request_error', 'GET /accounts is only there with DEV_ACCOUNT_ID_AUTH=true');
    }
    const rows = await this.reader.rows<AccountColumns>(
      `SELECT ${COLUMNS} FROM accounts WHERE deleted_at IS NULL AND ($1::text IS NULL OR email_key = $1)
       ORDER BY id LIMIT $2 OFFSET $3`,
      [emailAddress === undefined ? null : canonicalEmail(emailAddress), page.limit, page.offset],
    );
    return rows.map(toAccountView);
  }

  /** How far the sync of this account is, folder by folder, and what happened lately. */
  async status(account: AccountRef): Promise<StatusView> {
    const [rows, folders, events] = await Promise.all([
      this.reader.rows<StatusRow>(
        `SELECT id, sync_state, sync_state_reason, sync_enabled, sync_seen_at FROM accounts WHERE id = $1`,
        [account.id],
      ),
      this.reader.rows<FolderStatusRow>(FOLDER_STATUS, [account.id]),
      this.reader.rows<EventRow>(
        `SELECT id, at, level, kind, message, details FROM account_events WHERE account_id = $1
         ORDER BY id DESC LIMIT ${RECENT_EVENTS}`,
        [account.id],
      ),
    ]);
    const [row] = rows;
    if (!row) throw new NotFound('account', account.id);
    const shown = folders.map(toFolderStatus);
    return {
      object: 'status',
      account_id: row.id,
      namespace_id: row.id,
      sync_state: row.sync_state,
      sync_state_reason: row.sync_state_reason,
      sync_enabled: row.sync_enabled,
      last_seen_at: row.sync_seen_at && unixSeconds(row.sync_seen_at),
      drift_checked_at: oldest(shown.map((folder) => folder.drift_checked_at)),
      drift_repaired: shown.reduce((sum, folder) => sum + folder.drift_repaired, 0),
      folders: shown,
      events: events.map((event) => ({ ...event, at: unixSeconds(event.at) })),
    };
  }

  private async find(account: AccountRef): Promise<AccountColumns> {
    const [row] = await this.reader.rows<AccountColumns>(
      `SELECT ${COLUMNS} FROM accounts WHERE id = $1`,
      [account.id],
      'account',
    );
    if (!row) throw new NotFound('account', account.id);
    return row;
  }
}

const FOLDER_STATUS = `
  SELECT folder.id, folder.role, folder.display_name, sync.total, sync.state, sync.last_error, sync.passed_at,
         sync.drift_checked_at, sync.drift_repaired, sync.synced
  FROM categories folder
  LEFT JOIN folder_syncs sync ON sync.account_id = $1 AND sync.folder_id = folder.id
  WHERE folder.account_id = $1 AND folder.kind <> 'tag'
  ORDER BY folder.id`;

function toFolderStatus(row: FolderStatusRow): StatusView['folders'][number] {
  return {
    id: row.id,
    name: row.role,
    display_name: row.display_name,
    total: row.total ?? 0,
    synced: row.synced ?? 0,
    state: row.state ?? 'waiting',
    last_error: row.last_error,
    last_pass_at: row.passed_at && unixSeconds(row.passed_at),
    drift_checked_at: row.drift_checked_at && unixSeconds(row.drift_checked_at),
    drift_repaired: row.drift_repaired ?? 0,
  };
}

/** Null when one of them has not come yet, or there is none. */
function oldest(times: readonly (number | null)[]): number | null {
  return times.length === 0 || times.includes(null) ? null : Math.min(...(times as number[]));
}
