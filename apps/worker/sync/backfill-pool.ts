import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

import type { Config } from '#libs/config/config.js';
import type { Logger } from '#libs/common/logger.js';

/** What the pool asks of a thread. */
export type SliceRequest = { readonly slice: number; readonly accountId: string } | { readonly close: true };

/** What a thread answers. */
export type SliceOutcome =
  | { readonly kind: 'again' }
  | { readonly kind: 'done' }
  /** The account has as many connections as it may. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly reason: string };
export interface SliceAnswer {
  readonly slice: number;
  readonly outcome: SliceOutcome;
}
/** Its first message: it can be given slices. */
export const READY = 'ready';

/** A thread may use this much heap; what backfill reads is bounded, so more would be a leak. */
const HEAP_MB = 2048;
/** Batches live for a moment only; with a roomy nursery they die there instead of being copied about. */
const NURSERY_MB = 48;
/** Threads end when there was nothing to do for so long: they take 40 MB each. */
const REST_MS = 30_000;
/** Without threads, so much garbage in percent of what lives before it is collected; V8 lets it be up to three times that. */
const IDLE_GARBAGE = 40;
const AS_V8_LIKES = 0;

/**
 * Threads for backfill. Each has its own IMAP connection, parser and database connection, so nothing is copied
 * between threads and the main event loop stays free for sessions (docs/adr/0006).
 */
export class BackfillPool {
  private readonly idle: BackfillThread[] = [];
  private readonly all = new Set<BackfillThread>();
  private working = 0;
  private closed = false;
  private resting: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: Config,
    private readonly logger: Logger,
  ) {
    this.warm();
  }

  /** Somebody may soon wait for their old mail, and a thread takes a second to load: to be called before the first job. */
  warm(): void {
    if (this.closed) return;
    while (this.idle.length + this.working < this.config.SYNC_BACKFILL_THREADS) this.idle.push(this.start());
    this.stayAwake();
  }

  /** When every thread can work. @throws Error when one ended before it could */
  async ready(): Promise<void> {
    await Promise.all([...this.all].map((thread) => thread.ready));
  }

  /** Reads one slice of an account's old mail. Bull's concurrency bounds how many run at once. */
  async run(accountId: string): Promise<SliceOutcome> {
    if (this.closed) return { kind: 'failed', reason: 'the worker is stopping' };
    this.stayAwake();
    const thread = this.take(accountId);
    this.working += 1;
    const outcome = await thread.run(accountId);
    this.working -= 1;
    if (thread.alive) this.idle.push(thread);
    return outcome;
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.resting) clearTimeout(this.resting);
    await Promise.all([...this.all].map((thread) => thread.close()));
  }

  private stayAwake(): void {
    this.resting ??= setTimeout(() => this.rest(), REST_MS);
    this.resting.refresh();
  }

  private rest(): void {
    this.resting = null;
    if (this.working > 0) this.stayAwake();
    else for (const thread of this.idle.splice(0)) void thread.close();
  }

  /** The thread that has a connection to this account, if one is idle: the account may not get another. */
  private take(accountId: string): BackfillThread {
    const warm = this.idle.findLastIndex((thread) => thread.accountId === accountId);
    return this.idle.splice(warm, 1)[0] ?? this.start();
  }

  private start(): BackfillThread {
    const thread = new BackfillThread(this.config, this.logger, () => {
      this.all.delete(thread);
      if (this.all.size === 0) limitGarbage(IDLE_GARBAGE);
    });
    this.all.add(thread);
    limitGarbage(AS_V8_LIKES);
    return thread;
  }
}

/** Of all threads of the process: sessions that idle can do with little, a first sync would collect garbage all the time. */
const limitGarbage = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`);

class BackfillThread {
  alive = true;
  /** Whose mail it read last. */
  accountId: string | null = null;
  readonly ready: Promise<void>;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;
  private slice = 0;
  private settle: ((outcome: SliceOutcome) => void) | null = null;

  constructor(config: Config, logger: Logger, gone: () => void) {
    // The main thread got its nursery by this flag, which would win over the limits of a thread.
    setFlagsFromString('--max-semi-space-size=0');
    this.worker = new Worker(new URL('./backfill-thread.js', import.meta.url), {
      workerData: config,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: NURSERY_MB },
    });
    this.ready = new Promise((resolve, reject) => {
      this.worker.once('message', () => resolve());
      this.worker.once('exit', () => reject(new Error('a backfill thread ended before it was ready')));
    });
    // A thread that is started later, in place of a broken one, is not waited for.
    this.ready.catch(() => undefined);
    this.worker.on('message', (answer: SliceAnswer | typeof READY) => {
      if (answer !== READY && answer.slice === this.slice) this.finish(answer.outcome);
    });
    this.worker.on('error', (error) => logger.error({ err: error }, 'backfill thread failed'));
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', () => {
        this.alive = false;
        gone();
        this.finish({ kind: 'failed', reason: 'the backfill thread ended' });
        resolve();
      });
    });
  }

  run(accountId: string): Promise<SliceOutcome> {
    this.slice += 1;
    this.accountId = accountId;
    return new Promise((resolve) => {
      this.settle = resolve;
      this.worker.postMessage({ slice: this.slice, accountId } satisfies SliceRequest);
    });
  }

  async close(): Promise<void> {
    if (!this.alive) return;
    this.worker.postMessage({ close: true } satisfies SliceRequest);
    const late = setTimeout(() => void this.worker.terminate(), 4000);
    await this.exited;
    clearTimeout(late);
  }

  private finish(outcome: SliceOutcome): void {
    this.settle?.(outcome);
    this.settle = null;
  }
}
