import { Module } from '@nestjs/common';

import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';

import { ConnectionBudget } from './connection-budget.js';
import { Connections } from './connections.js';

@Module({
  providers: [Connections, ConnectionBudget, DriverRegistry],
  exports: [Connections, ConnectionBudget, DriverRegistry],
})
export class ConnectionsModule {}
