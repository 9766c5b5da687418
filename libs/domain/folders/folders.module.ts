import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { CategoryDirectory } from './category-directory.js';
import { FolderUpdates } from './folder-updates.service.js';
import { FoldersService } from './folders.service.js';

@Module({
  imports: [ChangesModule],
  providers: [CategoryDirectory, FoldersService, FolderUpdates],
  exports: [CategoryDirectory, FoldersService, FolderUpdates],
})
export class FoldersModule {}
