import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Unauthorized } from '#libs/common/errors.js';
import { AccountReads } from '#libs/domain/accounts/account-reads.service.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { AccountView, ExpandedAccountView, NamespaceView, StatusView } from '#libs/domain/accounts/account.view.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { Public } from '../http/auth/public.decorator.js';
import { About } from '../http/auth/scopes.js';
import { address, expandedView, limit, offset } from '../http/parameters.js';

const AccountQuery = z.object({ email_address: address('email_address'), limit, offset });
type AccountQuery = z.infer<typeof AccountQuery>;
const AccountViewQuery = z.object({ view: expandedView });

@ApiTags('account')
@About('account')
@Controller()
export class AccountsController {
  constructor(private readonly accounts: AccountReads) {}

  @Get('n')
  @ApiOperation({ operationId: 'listNamespaces', summary: 'The namespaces this token opens' })
  @ApiOkResponse({ standardSchema: z.array(NamespaceView) })
  async namespaces(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: AccountQuery }) query: AccountQuery,
  ): Promise<NamespaceView[]> {
    return this.accounts.namespaces(account, query.email_address, query);
  }

  @Get('n/:namespaceId')
  @ApiOperation({ operationId: 'getNamespace', summary: 'One namespace' })
  @ApiOkResponse({ standardSchema: NamespaceView })
  async namespace(@CurrentAccount() account: AccountRef): Promise<NamespaceView> {
    return this.accounts.namespace(account);
  }

  @Get(['account', 'n/:namespaceId/account'])
  @ApiOperation({ operationId: 'getAccount', summary: 'The account of this token' })
  @ApiOkResponse({ standardSchema: z.union([AccountView, ExpandedAccountView]) })
  async account(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: AccountViewQuery }) { view }: z.infer<typeof AccountViewQuery>,
  ): Promise<AccountView | ExpandedAccountView> {
    return view ? this.accounts.expandedAccount(account) : this.accounts.account(account);
  }

  @Get(['status', 'n/:namespaceId/status'])
  @ApiOperation({ operationId: 'getStatus', summary: 'How far the sync is, folder by folder, and its recent events' })
  @ApiOkResponse({ standardSchema: StatusView })
  async status(@CurrentAccount() account: AccountRef): Promise<StatusView> {
    return this.accounts.status(account);
  }

  @Public()
  @Get('accounts')
  @ApiOperation({ operationId: 'listAccounts', summary: 'Every account, without signing in; development mode only' })
  @ApiOkResponse({ standardSchema: z.array(AccountView) })
  async all(@Query({ schema: AccountQuery }) query: AccountQuery): Promise<AccountView[]> {
    return this.accounts.all(query.email_address, query);
  }

  @Public()
  @Get('logout')
  @ApiOperation({ operationId: 'logout', summary: 'Always 401: browsers then forget their Basic credentials' })
  @ApiOkResponse({ standardSchema: z.null() })
  logout(): never {
    throw new Unauthorized('You have been signed out.');
  }
}
