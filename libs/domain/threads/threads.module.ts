import { Module } from '@nestjs/common';

import { FoldersModule } from '../folders/folders.module.js';
import { MessagesModule } from '../messages/messages.module.js';

import { ThreadsService } from './threads.service.js';

@Module({ imports: [FoldersModule, MessagesModule], providers: [ThreadsService], exports: [ThreadsService] })
export class ThreadsModule {}
