import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { sha256 } from '#libs/common/hash.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { JobStatusView } from '#libs/domain/actions/job-status.view.js';
import { PreparedSends } from '#libs/domain/send/prepared-sends.service.js';
import { ScheduledSends } from '#libs/domain/send/scheduled-sends.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { WhileStopped } from '../http/auth/public.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, OutboxChange, OutboxMessage } from '../http/body-docs.js';
import { objectOf } from '../http/mail-update.js';
import { limit, offset, PathId } from '../http/parameters.js';

import { readOutboxChange, readOutboxSchedule } from './schedule.js';
import { keyOf, preparedBody } from './send-body.js';

const OutboxQuery = z.object({ limit, offset });
type OutboxQuery = z.infer<typeof OutboxQuery>;

/** Messages that wait to be sent. Each is a job, and known by its id. */
@ApiTags('outbox')
@About('sending')
@Controller(['outbox', 'v2/outbox', 'n/:namespaceId/outbox'])
export class OutboxController {
  constructor(
    private readonly prepared: PreparedSends,
    private readonly scheduled: ScheduledSends,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listOutbox', summary: 'What waits to be sent, the next one first' })
  @ApiOkResponse({ standardSchema: z.array(JobStatusView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: OutboxQuery }) query: OutboxQuery,
  ): Promise<JobStatusView[]> {
    return this.scheduled.list(account, query);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'addToOutbox',
    summary: 'Sends a draft or a new message at `send_at`, or soon; nobody has to wait for it',
  })
  @BodyOf(OutboxMessage)
  @ApiOkResponse({ standardSchema: JobStatusView })
  async add(
    @CurrentAccount() account: AccountRef,
    @Headers('idempotency-key') key: string | undefined,
    @Body() body: unknown,
  ): Promise<JobStatusView> {
    const { send_at: sendAt, retry_limit_datetime: retryLimit } = objectOf(body);
    const schedule = readOutboxSchedule(sendAt, retryLimit);
    const prepare = await preparedBody(this.prepared, account, body, true);
    return this.scheduled.add(account, prepare, { key: keyOf(key), hash: sha256(JSON.stringify(body)) }, schedule);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getOutboxMessage', summary: 'One message that waits, or waited' })
  @ApiOkResponse({ standardSchema: JobStatusView })
  async get(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<JobStatusView> {
    return this.scheduled.get(account, id);
  }

  @Put(':id')
  @ApiOperation({ operationId: 'updateOutboxMessage', summary: 'Sends it at another time' })
  @BodyOf(OutboxChange)
  @ApiOkResponse({ standardSchema: JobStatusView })
  async move(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<JobStatusView> {
    return this.scheduled.move(account, id, readOutboxChange(objectOf(body)));
  }

  @Delete(':id')
  @WhileStopped()
  @ApiOperation({ operationId: 'cancelOutboxMessage', summary: 'Cancels it; the draft stays' })
  @ApiOkResponse({ standardSchema: JobStatusView })
  async cancel(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<JobStatusView> {
    return this.scheduled.cancel(account, id);
  }
}
