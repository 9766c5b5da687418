import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { MessageView } from '#libs/domain/messages/message.view.js';
import { SearchService } from '#libs/domain/search/search.service.js';
import { ThreadView } from '#libs/domain/threads/thread.view.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { rendered, type RenderedJson } from '../http/reply.js';

import { SearchQuery } from './search-query.js';

@ApiTags('search')
@About('mail')
@Controller()
export class SearchController {
  constructor(private readonly search: SearchService) {}

  @Get(['messages/search', 'n/:namespaceId/messages/search'])
  @ApiOperation({ operationId: 'searchMessages', summary: 'Messages without drafts in all folders, the best first' })
  @ApiOkResponse({ standardSchema: z.array(MessageView) })
  async messages(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: SearchQuery }) { q, source, view: expanded, ...page }: SearchQuery,
  ): Promise<RenderedJson> {
    return rendered(this.search.inMessages(account, { q, source, page, dialect, expanded }));
  }

  @Get(['threads/search', 'n/:namespaceId/threads/search'])
  @ApiOperation({ operationId: 'searchThreads', summary: 'Threads by what their messages and drafts say' })
  @ApiOkResponse({ standardSchema: z.array(ThreadView) })
  async threads(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: SearchQuery }) { q, source, view: expanded, ...page }: SearchQuery,
  ): Promise<RenderedJson> {
    return rendered(this.search.inThreads(account, { q, source, page, dialect, expanded }));
  }
}
