import { Module } from '@nestjs/common';

import { CategoryDirectory } from './category-directory.js';
import { FoldersService } from './folders.service.js';

@Module({ providers: [CategoryDirectory, FoldersService], exports: [CategoryDirectory, FoldersService] })
export class FoldersModule {}
