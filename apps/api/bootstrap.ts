import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { Logger } from '#libs/common/logger.js';
import type { Config } from '#libs/config/config.js';
import { NestLogger } from '#libs/config/nest-logger.js';
import { StartFault } from '#libs/config/run-process.js';

import { AppModule } from './app.module.js';
import { ApiAdapter } from './http/api-adapter.js';
import { bodyParsing } from './http/body-parsing.js';
import { serveOpenApi } from './http/openapi.js';
import { answerProtocolErrors } from './http/protocol-errors.js';
import { requestBasics } from './http/request-basics.js';
import { requestLog } from './http/request-log.js';

export interface RunningApi {
  readonly app: NestExpressApplication;
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no new requests, finishes those under way, closes database and Redis. */
  close(): Promise<void>;
}

/** The application, complete but not listening. */
export async function createApi(config: Config, preview = false): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), new ApiAdapter(), {
    // Nest would print a fault's stack before it is told in one line. Its later messages go to our log.
    logger: false,
    bodyParser: false,
    abortOnError: false,
    preview,
  });
  app.set('trust proxy', config.TRUSTED_PROXIES);
  const logger = app.get<Logger>(Logger);
  app.useLogger(new NestLogger(logger));
  app.use(requestBasics);
  app.use(requestLog(logger));
  app.use(bodyParsing);
  serveOpenApi(app);
  return app;
}

/**
 * Starts the API on HOST and PORT (0: any free port).
 *
 * @throws StartFault with one sentence for people when a setting makes it impossible.
 */
export async function startApi(config: Config): Promise<RunningApi> {
  const app = await createApi(config);
  try {
    await app.init();
    const server: Server = app.getHttpServer();
    answerProtocolErrors(server);
    // Nest's own listen() would log the error that is about to be told in one line.
    await once(server.listen(config.PORT, config.HOST), 'listening');
  } catch (error) {
    await app.close();
    throw startupFault(error, config);
  }
  const server: Server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST;
  return { app, url: `http://${host}:${port}`, close: () => app.close() };
}

const LISTEN_FAULTS: Readonly<Record<string, (config: Config) => string>> = {
  EADDRINUSE: (config) => `PORT: ${config.PORT} is already in use on ${config.HOST}`,
  EACCES: (config) => `PORT: no permission to listen on ${config.PORT}`,
  EADDRNOTAVAIL: (config) => `HOST: ${config.HOST} is no address of this machine`,
};

function startupFault(error: unknown, config: Config): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  const told = LISTEN_FAULTS[String(error.code)];
  return told ? new StartFault(told(config)) : error;
}
