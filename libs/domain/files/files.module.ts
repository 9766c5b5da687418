import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { FilesService } from './files.service.js';
import { Uploads } from './uploads.service.js';

@Module({ imports: [ChangesModule], providers: [FilesService, Uploads], exports: [FilesService, Uploads] })
export class FilesModule {}
