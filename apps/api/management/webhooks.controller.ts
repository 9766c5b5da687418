import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { ApplicationRef } from '#libs/domain/applications/applications.service.js';
import { WebhookView } from '#libs/domain/webhooks/webhook.view.js';
import { WebhooksService } from '#libs/domain/webhooks/webhooks.service.js';

import { Public } from '../http/auth/public.decorator.js';
import { BodyOf } from '../http/body-docs.js';
import { PathId } from '../http/parameters.js';

import { ApplicationGuard, CurrentApplication } from './application.guard.js';
import { SuccessView } from './success.view.js';
import { NewWebhook, toSettings, WebhookChange } from './webhook-body.js';

@ApiTags('webhooks')
@Public()
@UseGuards(ApplicationGuard)
@Controller('a/:clientId/webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @ApiOperation({ operationId: 'listWebhooks', summary: 'All webhooks, oldest first' })
  @ApiOkResponse({ standardSchema: z.array(WebhookView) })
  async list(@CurrentApplication() application: ApplicationRef): Promise<WebhookView[]> {
    return this.webhooks.list(application);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'createWebhook', summary: 'Be told of changes; the address has to answer a challenge' })
  @BodyOf(NewWebhook)
  @ApiOkResponse({ standardSchema: WebhookView })
  async create(
    @CurrentApplication() application: ApplicationRef,
    @Body({ schema: NewWebhook }) body: NewWebhook,
  ): Promise<WebhookView> {
    return this.webhooks.create(application, toSettings(body));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getWebhook', summary: 'One webhook' })
  @ApiOkResponse({ standardSchema: WebhookView })
  async get(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<WebhookView> {
    return this.webhooks.get(application, id);
  }

  @Put(':id')
  @ApiOperation({ operationId: 'changeWebhook', summary: 'Change what is named, switch it off or on' })
  @BodyOf(WebhookChange)
  @ApiOkResponse({ standardSchema: WebhookView })
  async change(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
    @Body({ schema: WebhookChange }) body: WebhookChange,
  ): Promise<WebhookView> {
    return this.webhooks.change(application, id, toSettings(body));
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteWebhook', summary: 'Delete it with all that was to be delivered' })
  @ApiOkResponse({ standardSchema: SuccessView })
  async delete(
    @CurrentApplication() application: ApplicationRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<SuccessView> {
    await this.webhooks.delete(application, id);
    return { success: true };
  }
}
