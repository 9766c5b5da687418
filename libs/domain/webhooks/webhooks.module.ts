import { Module } from '@nestjs/common';

import { WebhookChallenge } from './webhook-challenge.js';
import { WebhooksService } from './webhooks.service.js';

/** What applications set up; what tells them of changes runs in the worker. */
@Module({ providers: [WebhookChallenge, WebhooksService], exports: [WebhooksService] })
export class WebhooksModule {}
