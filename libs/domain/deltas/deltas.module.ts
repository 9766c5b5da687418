import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { AccountReadsModule } from '../accounts/account-reads.module.js';
import { FilesModule } from '../files/files.module.js';
import { FoldersModule } from '../folders/folders.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { ThreadsModule } from '../threads/threads.module.js';

import { ChangedObjects } from './changed-objects.js';
import { DeltasService } from './deltas.service.js';

@Module({
  imports: [ChangesModule, AccountReadsModule, FilesModule, FoldersModule, MessagesModule, ThreadsModule],
  providers: [ChangedObjects, DeltasService],
  exports: [DeltasService],
})
export class DeltasModule {}
