import { Module } from '@nestjs/common';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { BlobStore } from './blob-store.js';
import { DiskBlobStore } from './disk-blob-store.js';

@Module({
  providers: [
    { provide: BlobStore, inject: [CONFIG], useFactory: (config: Config) => new DiskBlobStore(config.blobDir) },
  ],
  exports: [BlobStore],
})
export class BlobsModule {}
