import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { UnknownSends } from '#libs/sync/send/unknown-sends.js';

const LOOK_MS = 3000;

/** Looks, every few seconds, for what may have been sent. Every worker looks; two at a time do no harm. */
@Injectable()
export class SendClock implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly unknown: UnknownSends,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => void this.look(), LOOK_MS);
  }

  onApplicationShutdown(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private async look(): Promise<void> {
    try {
      await this.unknown.look();
    } catch (error) {
      this.logger.error({ err: error }, 'looking for what may have been sent failed');
    }
    if (this.timer) this.timer = setTimeout(() => void this.look(), LOOK_MS);
  }
}
