import { Global, Module } from '@nestjs/common';

import { JobQueue } from './job-queue.js';
import { RemoteCallDesk } from './remote-call-desk.js';
import { RemoteCalls } from './remote-calls.js';

@Global()
@Module({
  providers: [JobQueue, RemoteCalls, RemoteCallDesk],
  exports: [JobQueue, RemoteCalls, RemoteCallDesk],
})
export class QueuesModule {}
