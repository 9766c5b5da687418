import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { DraftView } from '#libs/domain/messages/message.view.js';
import { MessagesService } from '#libs/domain/messages/messages.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { listMessages } from '../http/list-messages.js';
import { MessageQuery } from '../http/mail-query.js';
import { ObjectQuery, PathId } from '../http/parameters.js';
import { rendered, type RenderedJson } from '../http/reply.js';
import { listOf } from '../http/views.js';

@ApiTags('drafts')
@Controller(['drafts', 'n/:namespaceId/drafts'])
export class DraftsController {
  constructor(private readonly messages: MessagesService) {}

  @Get()
  @ApiOperation({ operationId: 'listDrafts', summary: 'Drafts, newest first' })
  @ApiOkResponse({ standardSchema: listOf(DraftView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: MessageQuery }) query: MessageQuery,
  ): Promise<RenderedJson> {
    return rendered(listMessages(this.messages, 'draft', account, dialect, query));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getDraft', summary: 'One draft' })
  @ApiOkResponse({ standardSchema: DraftView })
  async get(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathId }) id: string,
    @Query({ schema: ObjectQuery }) { view }: z.infer<typeof ObjectQuery>,
  ): Promise<RenderedJson> {
    return rendered(this.messages.getDraft(account, id, { dialect, withHeaders: view === 'expanded' }));
  }
}
