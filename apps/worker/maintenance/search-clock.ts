import { setTimeout as delay } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { ChangeBell } from '#libs/changes/change-bell.js';
import { Logger } from '#libs/common/logger.js';
import { SearchIndexer } from '#libs/domain/search/search-indexer.js';

/** What comes within this time is looked at together, and what the mail itself needs is done by then. */
const GATHER_MS = 1000;
/** As long as it hears of nothing it looks this often all the same. */
const LOOK_MS = 30_000;
/** After a batch it rests for so many times as long as that took: what the mail itself needs comes first. */
const REST = 2;
const AFTER_TROUBLE_MS = 10_000;

/** Brings the index of words after the mail, in every worker, as long as it runs. */
@Injectable()
export class SearchClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** Something has changed since the last look. */
  private rung = false;
  private wake = () => {};

  constructor(
    private readonly indexer: SearchIndexer,
    private readonly bell: ChangeBell,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.bell.listenToAll(() => {
      this.rung = true;
      this.wake();
    });
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const hasMore = await this.round().catch(async (error: unknown) => {
        if (!signal.aborted) this.logger.error({ err: error }, 'what is searched falls behind');
        await this.rest(AFTER_TROUBLE_MS);
        return true;
      });
      if (hasMore) continue;
      await this.untilRung();
      await this.rest(GATHER_MS);
    }
  }

  private rest(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }

  private async untilRung(): Promise<void> {
    if (this.rung) return;
    const heard = new AbortController();
    this.wake = () => heard.abort();
    const signal = AbortSignal.any([heard.signal, this.stopping.signal]);
    await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
    this.wake = () => {};
  }

  /** One batch for each account that is behind. @returns whether any was that no other worker is at */
  private async round(): Promise<boolean> {
    this.rung = false;
    const behind = await this.indexer.behind();
    let advanced = false;
    for (const accountId of behind) {
      if (this.stopping.signal.aborted) break;
      const began = performance.now();
      advanced = (await this.indexer.advance(accountId)) || advanced;
      await this.rest(REST * (performance.now() - began));
    }
    this.rung ||= behind.length > 0;
    return advanced;
  }
}
