import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { StartFault } from '#libs/config/run-process.js';

import { createDataSource, poolOf } from './data-source.js';
import { Reader } from './reader.js';

@Injectable()
class Disconnect implements OnApplicationShutdown {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
  }
}

/** The data source, its pool and the Reader on it, one of each a process. */
@Module({})
export class DatabaseModule {
  static forRoot(applicationName: string, statementTimeoutMs?: number): DynamicModule {
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
              statementTimeoutMs,
            })
              .initialize()
              .catch((error: unknown) => {
                throw startFault(error);
              }),
        },
        { provide: Pool, inject: [DataSource], useFactory: poolOf },
        { provide: Reader, inject: [Pool], useFactory: (pool: Pool) => new Reader(pool) },
        Disconnect,
      ],
      exports: [DataSource, Pool, Reader],
    };
  }
}

// What a socket says, what a server refuses (class 28, unknown database), and pg's own texts for a server that is silent.
const UNREACHABLE_CODE = /^(ECONN\w+|ENOTFOUND|EAI_\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|28...|3D000|57P03|53300)$/;
const UNREACHABLE_TEXT = /^(Connection terminated|timeout expired|timeout exceeded|The server does not support SSL)/;

function startFault(error: unknown): unknown {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return error;
  const code = 'code' in first && typeof first.code === 'string' ? first.code : '';
  if (!UNREACHABLE_CODE.test(code) && !UNREACHABLE_TEXT.test(first.message)) return error;
  return new StartFault(`DATABASE_URL: the database cannot be reached (${code || first.message})`);
}
