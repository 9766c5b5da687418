import { Body, Controller, Get, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Public } from '../http/auth/public.decorator.js';

import { CodeExchange } from './code-exchange.service.js';
import { ConnectLimits } from './connect-limits.js';
import { CodeView, ConnectedAccountView } from './connected-account.view.js';
import { NativeAuth } from './native-auth.service.js';

/**
 * Native authentication. Clients send parameters as query, form or JSON, with GET or POST, and whatever Authorization
 * header they happen to have: only `client_id` and `client_secret` count.
 */
@ApiTags('connect')
@Public()
@UseGuards(ConnectLimits)
@Controller('connect')
export class ConnectController {
  constructor(
    private readonly auth: NativeAuth,
    private readonly exchange: CodeExchange,
  ) {}

  @Post('authorize')
  @HttpCode(200)
  @ApiOperation({ operationId: 'connectAuthorize', summary: 'Check credentials and connect an account' })
  @ApiOkResponse({ standardSchema: CodeView })
  async authorize(@Query() query: unknown, @Body() body: unknown): Promise<{ code: string }> {
    return this.auth.authorize(query, body);
  }

  @Get('authorize')
  @ApiOperation({ operationId: 'connectAuthorizeByQuery', summary: 'As POST, with parameters in the query' })
  @ApiOkResponse({ standardSchema: CodeView })
  async authorizeByQuery(@Query() query: unknown): Promise<{ code: string }> {
    return this.auth.authorize(query, {});
  }

  @Post('token')
  @HttpCode(200)
  @ApiOperation({ operationId: 'connectToken', summary: 'Swap a code for an access token' })
  @ApiOkResponse({ standardSchema: ConnectedAccountView })
  async token(@Query() query: unknown, @Body() body: unknown): Promise<ConnectedAccountView> {
    return this.exchange.token(query, body);
  }

  @Get('token')
  @ApiOperation({ operationId: 'connectTokenByQuery', summary: 'As POST, with parameters in the query' })
  @ApiOkResponse({ standardSchema: ConnectedAccountView })
  async tokenByQuery(@Query() query: unknown): Promise<ConnectedAccountView> {
    return this.exchange.token(query, {});
  }
}
