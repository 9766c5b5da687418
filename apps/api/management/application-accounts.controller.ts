import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import {
  ApplicationAccountView,
  TokenInfoView,
  TokenView,
} from '#libs/domain/applications/application-account.view.js';
import { ApplicationAccounts } from '#libs/domain/applications/application-accounts.service.js';
import type { ApplicationRef } from '#libs/domain/applications/applications.service.js';

import { Public } from '../http/auth/public.decorator.js';
import { BodyOf } from '../http/body-docs.js';
import { limit, offset, PathId } from '../http/parameters.js';

import { ApplicationGuard, CurrentApplication } from './application.guard.js';
import { isStorable } from './storable.js';
import { SuccessView } from './success.view.js';

const PageQuery = z.object({ limit, offset });
type PageQuery = z.infer<typeof PageQuery>;

/** In characters, as JSON. */
const MOST_METADATA = 20_000;
const MetadataBody = z.object({
  metadata: z
    .record(z.string(), z.unknown(), '"metadata" must be an object')
    .refine(isStorable, { error: '"metadata" takes valid texts without NUL, not nested too deep', abort: true })
    .refine(
      (value) => JSON.stringify(value).length <= MOST_METADATA,
      `"metadata" takes at most ${MOST_METADATA} characters, as JSON`,
    ),
});
type MetadataBody = z.infer<typeof MetadataBody>;

const KeepBody = z.object({
  keep_access_token: z.string('"keep_access_token" must be a token').nullable().default(null),
});
type KeepBody = z.infer<typeof KeepBody>;

const TokenBody = z.object({ access_token: z.string('"access_token" must be a token') });
type TokenBody = z.infer<typeof TokenBody>;

@ApiTags('applications')
@Public()
@UseGuards(ApplicationGuard)
@Controller('a/:clientId/accounts')
export class ApplicationAccountsController {
  constructor(private readonly accounts: ApplicationAccounts) {}

  @Get()
  @ApiOperation({ operationId: 'listApplicationAccounts', summary: 'The accounts it connected, oldest first' })
  @ApiOkResponse({ standardSchema: z.array(ApplicationAccountView) })
  async list(
    @CurrentApplication() application: ApplicationRef,
    @Query({ schema: PageQuery }) page: PageQuery,
  ): Promise<ApplicationAccountView[]> {
    return this.accounts.list(application, page);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getApplicationAccount', summary: 'One account, deleted ones too' })
  @ApiOkResponse({ standardSchema: ApplicationAccountView })
  async get(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<ApplicationAccountView> {
    return this.accounts.get(application, id);
  }

  @Put(':id')
  @ApiOperation({ operationId: 'setAccountMetadata', summary: 'Replace what is kept with the account' })
  @BodyOf(MetadataBody)
  @ApiOkResponse({ standardSchema: ApplicationAccountView })
  async setMetadata(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Body({ schema: MetadataBody }) { metadata }: MetadataBody,
  ): Promise<ApplicationAccountView> {
    return this.accounts.setMetadata(application, id, metadata);
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteApplicationAccount', summary: 'Delete it; for 30 days it can come back' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async delete(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<SuccessView> {
    await this.accounts.delete(application, id);
    return { success: true };
  }

  @Post(':id/upgrade')
  @HttpCode(200)
  @ApiOperation({ operationId: 'upgradeAccount', summary: 'Sync it (again), a deleted one too' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async upgrade(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<SuccessView> {
    await this.accounts.upgrade(application, id);
    return { success: true };
  }

  @Post(':id/downgrade')
  @HttpCode(200)
  @ApiOperation({ operationId: 'downgradeAccount', summary: 'Stop its sync; what was read stays readable' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async downgrade(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<SuccessView> {
    await this.accounts.downgrade(application, id);
    return { success: true };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ operationId: 'cancelAccount', summary: 'Another name for downgrade' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async cancel(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<SuccessView> {
    return this.downgrade(application, id);
  }

  @Get(':id/tokens')
  @ApiOperation({ operationId: 'listTokens', summary: 'Its access tokens, newest first, without the tokens' })
  @ApiOkResponse({ standardSchema: z.array(TokenView) })
  async tokens(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<TokenView[]> {
    return this.accounts.listTokens(application, id);
  }

  @Delete(':id/tokens/:tokenId')
  @ApiOperation({ operationId: 'revokeToken', summary: 'Revoke one of its access tokens' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async revokeToken(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Param('tokenId', { schema: PathId }) tokenId: string,
  ): Promise<SuccessView> {
    await this.accounts.revokeToken(application, id, tokenId);
    return { success: true };
  }

  @Post(':id/revoke-all')
  @HttpCode(200)
  @ApiOperation({ operationId: 'revokeAllTokens', summary: 'Revoke its access tokens, perhaps all but one' })
  @BodyOf(KeepBody, { required: false })
  @ApiOkResponse({ standardSchema: SuccessView })
  async revokeAll(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Body({ schema: KeepBody }) { keep_access_token: keep }: KeepBody,
  ): Promise<SuccessView> {
    await this.accounts.revokeAll(application, id, keep);
    return { success: true };
  }

  @Post(':id/token-info')
  @HttpCode(200)
  @ApiOperation({ operationId: 'getTokenInfo', summary: 'Whether an access token is good, and for what' })
  @BodyOf(TokenBody)
  @ApiOkResponse({ standardSchema: TokenInfoView })
  async tokenInfo(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Body({ schema: TokenBody }) { access_token: token }: TokenBody,
  ): Promise<TokenInfoView> {
    return this.accounts.tokenInfo(application, id, token);
  }
}
