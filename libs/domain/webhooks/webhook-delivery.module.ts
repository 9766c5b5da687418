import { Module } from '@nestjs/common';

import { DeliveryStore } from './delivery-store.js';
import { WebhookFanOut } from './fan-out.js';
import { NotificationBodies } from './notification-bodies.js';
import { WebhookClient } from './webhook-client.js';
import { WebhookHealth } from './webhook-health.js';

const parts = [DeliveryStore, NotificationBodies, WebhookClient, WebhookFanOut, WebhookHealth];

/** What tells webhooks of changes: the worker's part. */
@Module({ providers: parts, exports: parts })
export class WebhookDeliveryModule {}
