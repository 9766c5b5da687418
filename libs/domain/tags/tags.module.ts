import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { FoldersModule } from '../folders/folders.module.js';

import { TagUpdates } from './tag-updates.service.js';
import { TagsService } from './tags.service.js';
import { ThreadTags } from './thread-tags.service.js';

@Module({
  imports: [FoldersModule, ChangesModule],
  providers: [TagsService, TagUpdates, ThreadTags],
  exports: [TagsService, TagUpdates, ThreadTags],
})
export class TagsModule {}
