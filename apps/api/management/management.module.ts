import { Module } from '@nestjs/common';

import { ApplicationsModule } from '#libs/domain/applications/applications.module.js';

import { ApplicationAccountsController } from './application-accounts.controller.js';
import { ApplicationGuard } from './application.guard.js';
import { ApplicationsController } from './applications.controller.js';
import { OutgoingAddresses } from './outgoing-addresses.js';

/** What an application does with its secret: below `/a/<client_id>`. */
@Module({
  imports: [ApplicationsModule],
  controllers: [ApplicationsController, ApplicationAccountsController],
  providers: [ApplicationGuard, OutgoingAddresses],
})
export class ManagementModule {}
