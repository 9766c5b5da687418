import { Module } from '@nestjs/common';

import { FoldersModule } from '../folders/folders.module.js';

import { TagsService } from './tags.service.js';

@Module({ imports: [FoldersModule], providers: [TagsService], exports: [TagsService] })
export class TagsModule {}
