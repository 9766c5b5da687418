import { Module } from '@nestjs/common';

import { MessagesModule } from '../messages/messages.module.js';
import { ThreadsModule } from '../threads/threads.module.js';

import { SearchService } from './search.service.js';

@Module({
  imports: [MessagesModule, ThreadsModule],
  providers: [SearchService],
  exports: [SearchService],
})
export class SearchModule {}
