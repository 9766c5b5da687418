import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { FoldersModule } from '../folders/folders.module.js';

import { TagUpdates } from './tag-updates.service.js';
import { TagsService } from './tags.service.js';
import { ThreadUpdates } from './thread-updates.service.js';

@Module({
  imports: [FoldersModule, ChangesModule],
  providers: [TagsService, TagUpdates, ThreadUpdates],
  exports: [TagsService, TagUpdates, ThreadUpdates],
})
export class TagsModule {}
