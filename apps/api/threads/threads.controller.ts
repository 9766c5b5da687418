import { Body, Controller, Delete, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { DomainError } from '#libs/common/errors.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { ThreadUpdates } from '#libs/domain/tags/thread-updates.service.js';
import { ThreadView } from '#libs/domain/threads/thread.view.js';
import { ThreadsService } from '#libs/domain/threads/threads.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, ThreadChange } from '../http/body-docs.js';
import { mailFilter, ThreadQuery } from '../http/mail-query.js';
import { readThreadUpdate } from '../http/mail-update.js';
import { ObjectQuery, PathId } from '../http/parameters.js';
import { rendered, type RenderedJson } from '../http/reply.js';
import { listOf } from '../http/views.js';

@ApiTags('threads')
@About('threads')
@Controller(['threads', 'n/:namespaceId/threads'])
export class ThreadsController {
  constructor(
    private readonly threads: ThreadsService,
    private readonly updates: ThreadUpdates,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listThreads', summary: 'Threads, newest last message first' })
  @ApiOkResponse({ standardSchema: listOf(ThreadView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: ThreadQuery }) query: ThreadQuery,
  ): Promise<RenderedJson> {
    return rendered(this.inView(account, dialect, query));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getThread', summary: 'One thread' })
  @ApiOkResponse({ standardSchema: ThreadView })
  async get(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathId }) id: string,
    @Query({ schema: ObjectQuery }) { view }: z.infer<typeof ObjectQuery>,
  ): Promise<RenderedJson> {
    return rendered(
      view === 'expanded' ? this.threads.getExpanded(account, id, dialect) : this.threads.get(account, id, dialect),
    );
  }

  @Put(':id')
  @ApiOperation({ operationId: 'updateThread', summary: 'Changes tags (API v1), `unread`, `starred` and the folder' })
  @BodyOf(ThreadChange)
  @ApiOkResponse({ standardSchema: ThreadView })
  async update(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<RenderedJson> {
    await this.updates.update(account, id, readThreadUpdate(body, dialect));
    return rendered(this.threads.get(account, id, dialect));
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteThread', summary: 'Not implemented', deprecated: true })
  @ApiOkResponse({ standardSchema: z.null() })
  remove(): never {
    throw new DomainError(501, 'api_error', 'API endpoint not yet implemented.');
  }

  private async inView(account: AccountRef, dialect: Dialect, query: ThreadQuery): Promise<string> {
    const filter = mailFilter(query);
    switch (query.view) {
      case 'count':
        return this.threads.count(account, filter);
      case 'ids':
        return this.threads.ids(account, filter, query);
      case 'expanded':
        return this.threads.listExpanded(account, filter, query, dialect);
      case undefined:
        return this.threads.list(account, filter, query, dialect);
      default:
        return query.view satisfies never;
    }
  }
}
