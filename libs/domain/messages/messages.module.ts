import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';

import { FilesModule } from '../files/files.module.js';
import { FoldersModule } from '../folders/folders.module.js';

import { MailContents } from './mail-contents.service.js';
import { MessagesService } from './messages.service.js';

@Module({
  imports: [FoldersModule, FilesModule, BlobsModule],
  providers: [MessagesService, MailContents],
  exports: [MessagesService, MailContents],
})
export class MessagesModule {}
