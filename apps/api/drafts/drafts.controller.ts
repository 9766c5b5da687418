import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { Drafts } from '#libs/domain/drafts/drafts.service.js';
import { DraftView } from '#libs/domain/messages/message.view.js';
import { MessagesService } from '#libs/domain/messages/messages.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, DraftChange, DraftFacts, DraftRemoval } from '../http/body-docs.js';
import { mustHaveVersion, readDraft, readVersion } from '../http/draft-body.js';
import { listMessages } from '../http/list-messages.js';
import { MessageQuery } from '../http/mail-query.js';
import { ObjectQuery, PathId } from '../http/parameters.js';
import { rendered, type RenderedJson } from '../http/reply.js';
import { listOf } from '../http/views.js';

@ApiTags('drafts')
@About('drafts')
@Controller(['drafts', 'n/:namespaceId/drafts'])
export class DraftsController {
  constructor(
    private readonly messages: MessagesService,
    private readonly drafts: Drafts,
  ) {}

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

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'createDraft',
    summary: 'A new draft, or a reply by `thread_id` or `reply_to_message_id`',
  })
  @BodyOf(DraftFacts)
  @ApiOkResponse({ standardSchema: DraftView })
  async create(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Body() body: unknown,
  ): Promise<RenderedJson> {
    return this.shown(account, dialect, await this.drafts.create(account, readDraft(body)));
  }

  @Put(':id')
  @ApiOperation({ operationId: 'updateDraft', summary: 'Replaces what is given; `version` must be that of the draft' })
  @BodyOf(DraftChange)
  @ApiOkResponse({ standardSchema: DraftView })
  async update(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<RenderedJson> {
    await this.drafts.update(account, id, mustHaveVersion(body), readDraft(body));
    return this.shown(account, dialect, id);
  }

  @Delete(':id')
  @ApiOperation({
    operationId: 'deleteDraft',
    summary: 'Deletes a draft; `version`, when given, must be that of the draft',
  })
  @BodyOf(DraftRemoval, { required: false })
  @ApiOkResponse({ standardSchema: z.null() })
  async remove(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<null> {
    await this.drafts.remove(account, id, readVersion(body));
    return null;
  }

  private shown(account: AccountRef, dialect: Dialect, id: string): Promise<RenderedJson> {
    return rendered(this.messages.getDraft(account, id, { dialect, withHeaders: false }));
  }
}
