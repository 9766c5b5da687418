import { Module } from '@nestjs/common';

import { ApplicationsModule } from '#libs/domain/applications/applications.module.js';
import { WebhooksModule } from '#libs/domain/webhooks/webhooks.module.js';

import { ApplicationAccountsController } from './application-accounts.controller.js';
import { ApplicationGuard } from './application.guard.js';
import { ApplicationsController } from './applications.controller.js';
import { OutgoingAddresses } from './outgoing-addresses.js';
import { WebhookDeliveriesController } from './webhook-deliveries.controller.js';
import { WebhooksController } from './webhooks.controller.js';

/** What an application does with its secret: below `/a/<client_id>`. */
@Module({
  imports: [ApplicationsModule, WebhooksModule],
  controllers: [ApplicationsController, ApplicationAccountsController, WebhooksController, WebhookDeliveriesController],
  providers: [ApplicationGuard, OutgoingAddresses],
})
export class ManagementModule {}
