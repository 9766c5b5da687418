import type { LoggerService } from '@nestjs/common';

import type { Logger } from '#libs/common/logger.js';

/** Nest's own messages in our log. Its start-up chatter is debug. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown): void {
    this.logger.debug(String(message));
  }

  error(message: unknown): void {
    this.logger.error(message instanceof Error ? (message.stack ?? message.message) : String(message));
  }

  warn(message: unknown): void {
    this.logger.warn(String(message));
  }
}
