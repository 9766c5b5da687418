import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { ChangesModule } from '#libs/changes/changes.module.js';

import { ActionsModule } from '../actions/actions.module.js';
import { DraftsModule } from '../drafts/drafts.module.js';
import { MessagesModule } from '../messages/messages.module.js';

import { PreparedSends } from './prepared-sends.service.js';
import { ScheduledSends } from './scheduled-sends.service.js';
import { SendRequests } from './send-requests.service.js';

@Module({
  imports: [ActionsModule, BlobsModule, ChangesModule, DraftsModule, MessagesModule],
  providers: [PreparedSends, ScheduledSends, SendRequests],
  exports: [PreparedSends, ScheduledSends, SendRequests],
})
export class SendModule {}
