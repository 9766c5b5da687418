import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { TagDetailView, TagView } from '#libs/domain/tags/tag.view.js';
import { TagsService } from '#libs/domain/tags/tags.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { limit, offset, PathId, text, view } from '../http/parameters.js';
import { listOf } from '../http/views.js';

const TagQuery = z.object({ tag_name: text('tag_name'), tag_id: text('tag_id'), view, limit, offset });
type TagQuery = z.infer<typeof TagQuery>;

@ApiTags('tags')
@Controller('n/:namespaceId/tags')
export class TagsController {
  constructor(private readonly tags: TagsService) {}

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
}
