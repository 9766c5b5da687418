import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import { AccessTokens } from '../accounts/access-tokens.js';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Page } from '../messages/mail-filter.js';

import {
  type ApplicationAccountRow,
  type ApplicationAccountView,
  toApplicationAccountView,
  type TokenInfoView,
  toTokenInfoView,
  toTokenView,
  type TokenView,
} from './application-account.view.js';
import type { ApplicationRef } from './applications.service.js';

const COLUMNS = `a.id, a.email_address, a.name, a.provider, a.sync_state, a.sync_state_reason, a.billing_state, a.metadata,
  a.linked_at, a.deleted_at`;

/** Accounts as the application that connected them manages them. Those of others do not exist here. */
@Injectable()
export class ApplicationAccounts {
  constructor(
    private readonly reader: Reader,
    private readonly accounts: AccountsService,
    private readonly tokens: AccessTokens,
  ) {}

  /** Oldest first, without deleted ones. */
  async list({ id }: ApplicationRef, page: Page): Promise<ApplicationAccountView[]> {
    const rows = await this.reader.rows<ApplicationAccountRow>(
      `SELECT ${COLUMNS} FROM accounts a WHERE a.application_id = $1 AND a.deleted_at IS NULL
       ORDER BY a.id LIMIT $2 OFFSET $3`,
      [id, page.limit, page.offset],
    );
    return rows.map(toApplicationAccountView);
  }

  /** A deleted one too, until it is removed for good. @throws NotFound */
  async get(application: ApplicationRef, accountId: string): Promise<ApplicationAccountView> {
    const [row] = await this.reader.rows<ApplicationAccountRow>(
      `SELECT ${COLUMNS} FROM accounts a WHERE a.application_id = $1 AND a.id = $2`,
      [application.id, accountId],
    );
    if (!row) throw new NotFound('account', accountId);
    return toApplicationAccountView(row);
  }

  /** @throws NotFound */
  async setMetadata(application: ApplicationRef, accountId: string, metadata: object): Promise<ApplicationAccountView> {
    await this.get(application, accountId);
    await this.accounts.setMetadata(accountId, metadata);
    return this.get(application, accountId);
  }

  /** Sync goes on; a deleted account comes back. @throws NotFound also for one that cannot any more */
  async upgrade(application: ApplicationRef, accountId: string): Promise<void> {
    await this.get(application, accountId);
    await this.accounts.start(accountId);
  }

  /** Sync stops, what was read stays readable. @throws NotFound */
  async downgrade(application: ApplicationRef, accountId: string): Promise<void> {
    await this.get(application, accountId);
    await this.accounts.stop(accountId);
  }

  /** As `AccountsService.delete`. @throws NotFound */
  async delete(application: ApplicationRef, accountId: string): Promise<void> {
    await this.get(application, accountId);
    await this.accounts.delete(accountId);
  }

  /** @throws NotFound */
  async listTokens(application: ApplicationRef, accountId: string): Promise<TokenView[]> {
    await this.get(application, accountId);
    return (await this.tokens.list(accountId)).map(toTokenView);
  }

  /** @throws NotFound */
  async revokeToken(application: ApplicationRef, accountId: string, tokenId: string): Promise<void> {
    await this.get(application, accountId);
    if (!(await this.tokens.revokeById(accountId, tokenId))) throw new NotFound('token', tokenId);
  }

  /** @param keep the token that goes on living @throws NotFound */
  async revokeAll(application: ApplicationRef, accountId: string, keep: string | null): Promise<void> {
    await this.get(application, accountId);
    await this.tokens.revokeAll(accountId, keep);
  }

  /** @throws NotFound for a token this account never had, too */
  async tokenInfo(application: ApplicationRef, accountId: string, token: string): Promise<TokenInfoView> {
    await this.get(application, accountId);
    const row = await this.tokens.find(accountId, token);
    if (!row) throw new NotFound('token', `${token.slice(0, 4)}…`);
    return toTokenInfoView(row);
  }
}
