import { Module } from '@nestjs/common';

import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';

import { Connections } from './connections.js';

@Module({ providers: [Connections, DriverRegistry], exports: [Connections, DriverRegistry] })
export class ConnectionsModule {}
