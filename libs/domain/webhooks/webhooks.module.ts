import { Module } from '@nestjs/common';

import { DeliveryLog } from './delivery-log.service.js';
import { WebhookChallenge } from './webhook-challenge.js';
import { WebhooksService } from './webhooks.service.js';

/** What applications set up; what tells them of changes runs in the worker. */
@Module({ providers: [DeliveryLog, WebhookChallenge, WebhooksService], exports: [DeliveryLog, WebhooksService] })
export class WebhooksModule {}
