import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { ChangesModule } from '#libs/changes/changes.module.js';

import { FilesModule } from '../files/files.module.js';
import { FoldersModule } from '../folders/folders.module.js';

import { MailContents } from './mail-contents.service.js';
import { MailUpdates } from './mail-updates.service.js';
import { MessagesService } from './messages.service.js';

@Module({
  imports: [FoldersModule, FilesModule, BlobsModule, ChangesModule],
  providers: [MessagesService, MailContents, MailUpdates],
  exports: [MessagesService, MailContents, MailUpdates],
})
export class MessagesModule {}
