import { setTimeout as delay } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { SearchIndexer } from '#libs/domain/search/search-indexer.js';

const LOOK_MS = 1000;
/** After a batch it rests for so many times as long as that took: what the mail itself needs comes first. */
const REST = 2;
const AFTER_TROUBLE_MS = 10_000;

/** Brings the index of words after the mail, in every worker, as long as it runs. */
@Injectable()
export class SearchClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly indexer: SearchIndexer,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const wait = await this.round().catch((error: unknown) => {
        if (!signal.aborted) this.logger.error({ err: error }, 'what is searched falls behind');
        return AFTER_TROUBLE_MS;
      });
      await delay(wait, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** One batch for each account that is behind. @returns milliseconds until the next */
  private async round(): Promise<number> {
    const { signal } = this.stopping;
    const behind = await this.indexer.behind();
    for (const accountId of behind) {
      if (signal.aborted) return 0;
      const began = performance.now();
      await this.indexer.advance(accountId);
      await delay(REST * (performance.now() - began), undefined, { signal, ref: false }).catch(() => {});
    }
    return behind.length > 0 ? 0 : LOOK_MS;
  }
}
