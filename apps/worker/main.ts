import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';

import { Logger } from '#libs/common/logger.js';
import { readConfig } from '#libs/config/config.js';
import { NestLogger } from '#libs/config/nest-logger.js';
import { runProcess } from '#libs/config/run-process.js';

import { WorkerModule } from './worker.module.js';

await runProcess('worker', async () => {
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(readConfig()), {
    // Nest would print a fault's stack before it is told in one line.
    logger: false,
    abortOnError: false,
  });
  app.useLogger(new NestLogger(app.get<Logger>(Logger)));
  return { close: () => app.close() };
});
