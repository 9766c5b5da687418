import { Module } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';

import { AccessTokens } from './access-tokens.js';
import { AccountAccess } from './account-access.js';
import { AccountsService } from './accounts.service.js';
import { AuthCodes } from './auth-codes.js';

@Module({
  providers: [AccountWriter, AccountsService, AccessTokens, AuthCodes, AccountAccess],
  exports: [AccountsService, AccessTokens, AuthCodes, AccountAccess],
})
export class AccountsModule {}
