import { Module } from '@nestjs/common';

import { MessagesModule } from '../messages/messages.module.js';

import { DeliveryStore } from './delivery-store.js';
import { WebhookFanOut } from './fan-out.js';
import { NotificationBodies } from './notification-bodies.js';
import { OldDeliveries } from './old-deliveries.js';
import { WebhookClient } from './webhook-client.js';
import { WebhookHealth } from './webhook-health.js';

const parts = [DeliveryStore, NotificationBodies, OldDeliveries, WebhookClient, WebhookFanOut, WebhookHealth];

/** What tells webhooks of changes: the worker's part. */
@Module({ imports: [MessagesModule], providers: parts, exports: parts })
export class WebhookDeliveryModule {}
