import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { createDataSource } from './data-source.js';
import { Reader } from './reader.js';

@Injectable()
class Disconnect implements OnApplicationShutdown {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}

/** The data source (for writers) and the Reader (for everybody else), one of each a process. */
@Module({})
export class DatabaseModule {
  static forRoot(applicationName: string): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        {
          provide: DataSource,
          inject: [CONFIG],
          useFactory: (config: Config) =>
            createDataSource({
              url: config.DATABASE_URL,
              poolSize: config.DATABASE_POOL_SIZE,
              applicationName,
            }).initialize(),
        },
        { provide: Reader, inject: [DataSource], useFactory: (dataSource: DataSource) => new Reader(dataSource) },
        Disconnect,
      ],
      exports: [DataSource, Reader],
    };
  }
}
