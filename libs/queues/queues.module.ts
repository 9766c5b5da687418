import { Global, Module } from '@nestjs/common';

import { JobQueue } from './job-queue.js';
import { LockKeeper } from './lock-keeper.js';
import { RemoteCallDesk } from './remote-call-desk.js';
import { RemoteCalls } from './remote-calls.js';

@Global()
@Module({
  providers: [JobQueue, LockKeeper, RemoteCalls, RemoteCallDesk],
  exports: [JobQueue, LockKeeper, RemoteCalls, RemoteCallDesk],
})
export class QueuesModule {}
