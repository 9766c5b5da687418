import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { MessagePlaces } from '#libs/domain/messages/message-places.js';
import { ProviderFinds } from '#libs/domain/search/provider-finds.js';
import { ConnectionsModule } from '#libs/sync/connections.module.js';
import { SyncModule } from '#libs/sync/sync.module.js';

import { ProviderSearch } from './provider-search.js';
import { RemoteCallHandlers } from './remote-call-handlers.js';
import { RemoteCallsProcessor } from './remote-calls.processor.js';

@Module({
  imports: [BlobsModule, ConnectionsModule, SyncModule],
  providers: [MessagePlaces, ProviderFinds, ProviderSearch, RemoteCallHandlers, RemoteCallsProcessor],
  exports: [RemoteCallsProcessor],
})
export class RemoteCallsWorkerModule {}
