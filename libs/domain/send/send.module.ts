import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { ChangesModule } from '#libs/changes/changes.module.js';

import { MessagesModule } from '../messages/messages.module.js';

import { SendRequests } from './send-requests.service.js';

@Module({ imports: [BlobsModule, ChangesModule, MessagesModule], providers: [SendRequests], exports: [SendRequests] })
export class SendModule {}
