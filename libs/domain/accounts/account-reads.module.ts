import { Module } from '@nestjs/common';

import { AccountAccess } from './account-access.js';
import { AccountReads } from './account-reads.service.js';

/** What the API needs to know of accounts to serve them; connecting and removing accounts is another module's. */
@Module({ providers: [AccountAccess, AccountReads], exports: [AccountAccess, AccountReads] })
export class AccountReadsModule {}
