import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { TagDetailView, TagView } from '#libs/domain/tags/tag.view.js';
import { TagUpdates } from '#libs/domain/tags/tag-updates.service.js';
import { TagsService } from '#libs/domain/tags/tags.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, TagNaming } from '../http/body-docs.js';
import { readTagName } from '../http/name-body.js';
import { limit, offset, PathId, text, view } from '../http/parameters.js';
import { listOf } from '../http/views.js';

const TagQuery = z.object({ tag_name: text('tag_name'), tag_id: text('tag_id'), view, limit, offset });
type TagQuery = z.infer<typeof TagQuery>;

@ApiTags('tags')
@About('folders')
@Controller('n/:namespaceId/tags')
export class TagsController {
  constructor(
    private readonly tags: TagsService,
    private readonly updates: TagUpdates,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listTags', summary: 'Canonical tags, then folders as read-only tags' })
  @ApiOkResponse({ standardSchema: listOf(TagView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: TagQuery }) query: TagQuery,
  ): Promise<TagView[] | string[] | { count: number }> {
    const filter = { name: query.tag_name, id: query.tag_id };
    if (query.view === 'count') return { count: (await this.tags.list(account, filter)).length };
    const tags = await this.tags.page(account, filter, query);
    return query.view === 'ids' ? tags.map((tag) => tag.id) : tags;
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getTag', summary: 'One tag, with the number of its threads' })
  @ApiOkResponse({ standardSchema: TagDetailView })
  async get(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<TagDetailView> {
    return this.tags.get(account, id);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'createTag', summary: 'A new tag; its name is stored in lower case' })
  @BodyOf(TagNaming)
  @ApiOkResponse({ standardSchema: TagView })
  async create(@CurrentAccount() account: AccountRef, @Body() body: unknown): Promise<TagView> {
    const name = readTagName(body, 'Malformed tag request', account.id);
    return this.tags.plain(account, await this.updates.create(account, name));
  }

  @Put(':id')
  @ApiOperation({ operationId: 'renameTag', summary: "Renames one of the user's own tags" })
  @BodyOf(TagNaming)
  @ApiOkResponse({ standardSchema: TagView })
  async rename(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<TagView> {
    await this.updates.rename(account, id, readTagName(body, 'Malformed tag update request', account.id));
    return this.tags.plain(account, id);
  }

  @Delete(':id')
  @ApiOperation({
    operationId: 'deleteTag',
    summary: "Deletes one of the user's own tags, and takes it off all threads",
  })
  @ApiOkResponse({ standardSchema: z.null() })
  async remove(@CurrentAccount() account: AccountRef, @Param('id', { schema: PathId }) id: string): Promise<null> {
    await this.updates.remove(account, id);
    return null;
  }
}
