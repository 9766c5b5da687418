import { Module } from '@nestjs/common';

import { ChangesModule } from '#libs/changes/changes.module.js';

import { MessagesModule } from '../messages/messages.module.js';

import { Drafts } from './drafts.service.js';

@Module({ imports: [ChangesModule, MessagesModule], providers: [Drafts], exports: [Drafts] })
export class DraftsModule {}
