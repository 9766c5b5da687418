import { type DynamicModule, Module } from '@nestjs/common';

import { createLogger, Logger } from '#libs/common/logger.js';

import { CONFIG } from './config.module.js';
import type { Config } from './config.js';

/** The process's logger, under the token `Logger`. */
@Module({})
export class LoggerModule {
  static forRoot(name: string): DynamicModule {
    return {
      module: LoggerModule,
      global: true,
      providers: [
        { provide: Logger, inject: [CONFIG], useFactory: (config: Config) => createLogger(name, config.LOG_LEVEL) },
      ],
      exports: [Logger],
    };
  }
}
