import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';

import { readConfig } from '#libs/config/config.js';
import { runProcess } from '#libs/config/run-process.js';

import { WorkerModule } from './worker.module.js';

await runProcess('worker', async () => {
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(readConfig()), {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  return { close: () => app.close() };
});
