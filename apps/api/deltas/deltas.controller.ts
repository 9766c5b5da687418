import { Body, Controller, Get, Headers, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';

import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { CursorView, DeltaPageView } from '#libs/domain/deltas/delta.view.js';
import { DeltasService } from '#libs/domain/deltas/deltas.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { TokenInQuery, WhileStopped } from '../http/auth/public.decorator.js';
import { About } from '../http/auth/scopes.js';
import { type LiveBody, rendered, type RenderedJson } from '../http/reply.js';

import { DeltaQuery, EventSourceQuery, feedOf, GenerateCursor, LongpollQuery, StreamQuery } from './delta-query.js';
import { LiveFeeds } from './live-feeds.js';

const STREAM = { type: 'string', description: 'Deltas, each one JSON object' } as const;

@ApiTags('deltas')
@About('mail')
@Controller(['delta', 'n/:namespaceId/delta'])
export class DeltasController {
  constructor(
    private readonly deltas: DeltasService,
    private readonly live: LiveFeeds,
  ) {}

  @Post('generate_cursor')
  @WhileStopped()
  @HttpCode(200)
  @ApiOperation({ operationId: 'generateCursor', summary: 'The cursor of a moment: everything since comes after it' })
  @ApiOkResponse({ standardSchema: CursorView })
  async generateCursor(
    @CurrentAccount() account: AccountRef,
    @Body({ schema: GenerateCursor }) { start }: GenerateCursor,
  ): Promise<CursorView> {
    return { cursor: await this.deltas.cursorAt(account, new Date(start * 1000)) };
  }

  @Post('latest_cursor')
  @WhileStopped()
  @HttpCode(200)
  @ApiOperation({ operationId: 'latestCursor', summary: 'The cursor after everything that has happened so far' })
  @ApiOkResponse({ standardSchema: CursorView })
  async latestCursor(@CurrentAccount() account: AccountRef): Promise<CursorView> {
    return { cursor: await this.deltas.latestCursor(account) };
  }

  @Get()
  @ApiOperation({ operationId: 'listDeltas', summary: 'What changed after a cursor, oldest first' })
  @ApiOkResponse({ standardSchema: DeltaPageView })
  async list(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: DeltaQuery }) query: DeltaQuery,
  ): Promise<RenderedJson> {
    return rendered(this.deltas.list(feedOf(account, dialect, query), query.cursor, query.limit));
  }

  @Get('longpoll')
  @ApiOperation({ operationId: 'pollDeltas', summary: 'As the list, but waits until there is something in it' })
  @ApiOkResponse({ standardSchema: DeltaPageView })
  async longpoll(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: LongpollQuery }) query: LongpollQuery,
  ): Promise<LiveBody> {
    return this.live.longpoll(feedOf(account, dialect, query), query.cursor, query.limit, query.timeout);
  }

  @Get('streaming')
  @ApiOperation({
    operationId: 'streamDeltas',
    summary: 'Changes as they happen, one JSON object a line; an empty line every second',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: STREAM })
  async streaming(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: StreamQuery }) query: StreamQuery,
  ): Promise<LiveBody> {
    return this.live.lines(feedOf(account, dialect, query), query.cursor, query.timeout);
  }

  @Get('sse')
  @TokenInQuery()
  @ApiOperation({
    operationId: 'deltaEvents',
    summary: 'The same as Server-Sent Events; goes on after Last-Event-ID, else after the cursor, else from now on',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: STREAM })
  async sse(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: EventSourceQuery }) query: EventSourceQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
  ): Promise<LiveBody> {
    return this.live.events(feedOf(account, dialect, query), lastEventId || query.cursor, query.timeout);
  }
}
