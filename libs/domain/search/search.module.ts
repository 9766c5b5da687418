import { Module } from '@nestjs/common';

import { AccountReadsModule } from '../accounts/account-reads.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { ThreadsModule } from '../threads/threads.module.js';

import { SearchService } from './search.service.js';

@Module({
  imports: [AccountReadsModule, MessagesModule, ThreadsModule],
  providers: [SearchService],
  exports: [SearchService],
})
export class SearchModule {}
