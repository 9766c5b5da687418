import { Body, Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { InvalidRequest } from '#libs/common/errors.js';
import type { ApplicationRef } from '#libs/domain/applications/applications.service.js';
import { type DeliveryFilter, DeliveryLog } from '#libs/domain/webhooks/delivery-log.service.js';
import { DeliveryView } from '#libs/domain/webhooks/delivery.view.js';

import { Public } from '../http/auth/public.decorator.js';
import { BodyOf } from '../http/body-docs.js';
import { idFilter, limit, offset, PathId, timestamp } from '../http/parameters.js';

import { ApplicationGuard, CurrentApplication } from './application.guard.js';

const DeliveryQuery = z.object({
  state: z.enum(['pending', 'delivered', 'failed'], '"state" must be pending, delivered or failed').optional(),
  account_id: idFilter('account_id'),
  from: timestamp('from'),
  to: timestamp('to'),
  limit,
  offset,
});
type DeliveryQuery = z.infer<typeof DeliveryQuery>;

const moment = (name: string) => z.int(`"${name}" must be unix seconds`).min(0).max(99_999_999_999).optional();

const ReplayBody = z.object({
  state: z.enum(['delivered', 'failed'], '"state" must be delivered or failed').optional(),
  account_id: z.string('"account_id" must be an id').optional(),
  from: moment('from').describe('Unix seconds, included'),
  to: moment('to').describe('Unix seconds, not included'),
});
type ReplayBody = z.infer<typeof ReplayBody>;

const ReplayedView = z
  .object({ replayed: z.int().describe('How many will be delivered again') })
  .meta({ id: 'Replayed' });
type ReplayedView = z.infer<typeof ReplayedView>;

@ApiTags('webhooks')
@Public()
@UseGuards(ApplicationGuard)
@Controller('a/:clientId/webhooks/:id')
export class WebhookDeliveriesController {
  constructor(private readonly log: DeliveryLog) {}

  @Get('deliveries')
  @ApiOperation({ operationId: 'listDeliveries', summary: 'What was or will be delivered, newest first' })
  @ApiOkResponse({ standardSchema: z.array(DeliveryView) })
  async list(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Query({ schema: DeliveryQuery }) { account_id: accountId, ...query }: DeliveryQuery,
  ): Promise<DeliveryView[]> {
    return this.log.list(application, id, { accountId, ...query }, query);
  }

  @Get('deliveries/:deliveryId')
  @ApiOperation({ operationId: 'getDelivery', summary: 'One delivery with its attempts' })
  @ApiOkResponse({ standardSchema: DeliveryView })
  async get(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Param('deliveryId', { schema: PathId }) deliveryId: string,
  ): Promise<DeliveryView> {
    return this.log.get(application, id, deliveryId);
  }

  @Post('deliveries/:deliveryId/replay')
  @HttpCode(200)
  @ApiOperation({ operationId: 'replayDelivery', summary: 'Deliver it once more' })
  @ApiOkResponse({ standardSchema: DeliveryView })
  async replay(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Param('deliveryId', { schema: PathId }) deliveryId: string,
  ): Promise<DeliveryView> {
    return this.log.replay(application, id, deliveryId);
  }

  @Post('replay')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'replayDeliveries',
    summary: 'Deliver once more what failed, or what happened in a time',
  })
  @BodyOf(ReplayBody)
  @ApiOkResponse({ standardSchema: ReplayedView })
  async replayAll(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Body({ schema: ReplayBody }) body: ReplayBody,
  ): Promise<ReplayedView> {
    return { replayed: await this.log.replayAll(application, id, filterOf(body)) };
  }
}

/** @throws InvalidRequest for a body that would choose all there is */
function filterOf({ state, account_id: accountId, from, to }: ReplayBody): DeliveryFilter {
  if (state === undefined && from === undefined) throw new InvalidRequest('Say which: "state", or a time by "from"');
  const date = (seconds: number | undefined) => (seconds === undefined ? undefined : new Date(seconds * 1000));
  return { state, accountId, from: date(from), to: date(to) };
}
