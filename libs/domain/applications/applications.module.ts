import { Module } from '@nestjs/common';

import { AccountsModule } from '../accounts/accounts.module.js';

import { ApplicationAccounts } from './application-accounts.service.js';
import { ApplicationsService } from './applications.service.js';

@Module({
  imports: [AccountsModule],
  providers: [ApplicationsService, ApplicationAccounts],
  exports: [ApplicationsService, ApplicationAccounts],
})
export class ApplicationsModule {}
