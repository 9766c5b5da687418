import { Module } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';

import { AccessTokens } from './access-tokens.js';
import { AccountsService } from './accounts.service.js';
import { AuthCodes } from './auth-codes.js';

/** Connecting, switching and removing accounts. */
@Module({
  providers: [AccountWriter, AccountsService, AccessTokens, AuthCodes],
  exports: [AccountsService, AccessTokens, AuthCodes],
})
export class AccountsModule {}
