import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/common/errors.js';
import { AccessTokens } from '#libs/domain/accounts/access-tokens.js';
import { AccountsService } from '#libs/domain/accounts/accounts.service.js';
import { AuthCodes } from '#libs/domain/accounts/auth-codes.js';
import { ApplicationsService } from '#libs/domain/applications/applications.service.js';

import { readRequest, TokenRequest } from './connect-request.js';
import { type ConnectedAccountView, toConnectedAccountView } from './connected-account.view.js';

/** The second step of connecting an account. */
@Injectable()
export class CodeExchange {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly accounts: AccountsService,
    private readonly codes: AuthCodes,
    private readonly tokens: AccessTokens,
  ) {}

  /** Swaps the code for an access token. */
  async token(query: unknown, body: unknown): Promise<ConnectedAccountView> {
    const request = readRequest(TokenRequest, query, body, ['client_id', 'client_secret', 'code']);
    const application = await this.applications.verify(request.client_id, request.client_secret);
    if (!application) throw new DomainError(401, 'auth_error', 'Unknown client_id or wrong client_secret');
    const redeemed = await this.codes.redeem(application.id, request.code);
    if (!redeemed) throw new DomainError(400, 'auth_error', 'The code is unknown, used or expired');
    const { accountId, scopes } = redeemed;
    const account = await this.accounts.get(accountId);
    return toConnectedAccountView(account, await this.tokens.issue(accountId, application.id, scopes));
  }
}
