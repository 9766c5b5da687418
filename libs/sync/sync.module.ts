import { Module } from '@nestjs/common';

import { BlobsModule } from '#libs/blobs/blobs.module.js';
import { AccountWriter } from '#libs/changes/account-writer.js';
import { ChangesModule } from '#libs/changes/changes.module.js';
import { YoungTables } from '#libs/database/young-tables.js';

import { AccountLog } from './account-log.js';
import { AccountSession } from './account-session.js';
import { AccountState } from './account-state.js';
import { Crew } from './crew.js';
import { ConnectionsModule } from './connections.module.js';
import { FolderRound } from './folder-round.js';
import { FolderVisits } from './folder-visits.js';
import { Backfill } from './mail/backfill.js';
import { Departures } from './mail/departures.js';
import { DriftCheck } from './mail/drift-check.js';
import { DriftStore } from './mail/drift-store.js';
import { FolderPass } from './mail/folder-pass.js';
import { FolderStore } from './mail/folder-store.js';
import { StaleRefs } from './mail/stale-refs.js';
import { ActionBell } from './syncback/action-bell.js';
import { ActionStore } from './syncback/action-store.js';
import { CopyEffects } from './syncback/copy-effects.js';
import { DraftEffects } from './syncback/draft-effects.js';
import { DraftContents } from './syncback/draft-contents.js';
import { SentEffects } from './syncback/sent-effects.js';
import { MessageFiles } from './send/message-files.js';
import { OutgoingLetters } from './send/outgoing-letters.js';
import { SendStore } from './send/send-store.js';
import { Sending } from './send/sending.service.js';
import { UnknownSends } from './send/unknown-sends.js';
import { DraftStore } from './syncback/draft-store.js';
import { FolderEffects } from './syncback/folder-effects.js';
import { MessageEffects } from './syncback/message-effects.js';
import { OldActions } from './syncback/old-actions.js';
import { Syncback } from './syncback/syncback.js';

/** The mail engine: sessions, passes, backfill. */
@Module({
  imports: [ChangesModule, ConnectionsModule, BlobsModule],
  providers: [
    AccountWriter,
    AccountLog,
    AccountState,
    AccountSession,
    Crew,
    FolderRound,
    FolderVisits,
    FolderStore,
    Departures,
    FolderPass,
    DriftStore,
    DriftCheck,
    Backfill,
    StaleRefs,
    ActionBell,
    ActionStore,
    MessageEffects,
    FolderEffects,
    CopyEffects,
    DraftEffects,
    DraftStore,
    DraftContents,
    MessageFiles,
    OutgoingLetters,
    OldActions,
    SentEffects,
    SendStore,
    Sending,
    UnknownSends,
    Syncback,
    YoungTables,
  ],
  exports: [
    Sending,
    UnknownSends,
    AccountState,
    AccountSession,
    Crew,
    AccountLog,
    Backfill,
    StaleRefs,
    OldActions,
    ConnectionsModule,
  ],
})
export class SyncModule {}
