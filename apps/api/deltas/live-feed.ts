import type { ServerResponse } from 'node:http';

import { DomainError } from '#libs/common/errors.js';
import type { DeltaFeed } from '#libs/domain/deltas/delta-feed.js';
import type { ChangeNews, DeltaPage, DeltasService } from '#libs/domain/deltas/deltas.service.js';

import type { Wire } from './wires.js';

export interface LiveRequest {
  readonly feed: DeltaFeed;
  readonly position: number;
  /** Logged changes read at a time. */
  readonly limit: number;
  readonly wire: Wire;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** What is handed to the connection at once; how much of it went out shows whether the client reads. */
const SLICE_BYTES = 65_536;
/** A client that takes nothing for this long is gone; one with this much waiting for it after a shorter time, too. */
const STALLED_MS = 30_000;
const STALLED_FULL_MS = 2000;
const FULL_BYTES = 1_048_576;

/**
 * One open connection and its place in the log. It holds nothing between changes: when rung it reads the log from its
 * place on, and reads no further while the client has not taken what was read. So a client that stops reading costs at
 * most one page, and nothing is ever lost or told twice.
 */
export class LiveFeed {
  private position: number;
  private reading = false;
  private rung = false;
  /** The last there were, unless the log has to be read. */
  private news: ChangeNews | null = null;
  /** Since when the connection has taken nothing; null when it takes what it is given. */
  private stalledAt: number | null = null;
  private resume: (() => void) | null = null;
  private unsent = 0;

  constructor(
    private readonly deltas: DeltasService,
    private readonly request: LiveRequest,
    private readonly response: ServerResponse,
    private readonly failed: (error: unknown) => void,
  ) {
    this.position = request.position;
  }

  open(): void {
    const { wire } = this.request;
    this.response.setHeader('Content-Type', wire.contentType);
    this.response.setHeader('Cache-Control', 'no-cache, no-transform');
    // nginx would hold lines back until it has a bufferful.
    this.response.setHeader('X-Accel-Buffering', 'no');
    this.response.on('drain', () => this.proceed());
    this.response.on('close', () => this.proceed());
    this.response.flushHeaders();
    if (wire.opening !== '') this.response.write(wire.opening);
  }

  /** There may be something new. */
  ring(news: ChangeNews | null = null): void {
    this.rung = true;
    this.news = news;
    if (!this.reading) void this.read();
  }

  /** Called every second. */
  beat(now: number): void {
    if (this.hasStalled(now)) return void this.response.destroy();
    if (this.stalledAt !== null || this.isOver) return;
    if (now >= this.request.deadline && !this.reading) return this.end();
    if (this.rung && !this.reading) this.ring();
    // Between two slices of a page a line end would fall into the middle of a line.
    if (this.unsent === 0) this.response.write(this.request.wire.beat);
  }

  /** The client is to come again, here or elsewhere. In the middle of a line there is no good end. */
  end(): void {
    if (this.isOver) return;
    if (this.unsent > 0) this.response.destroy();
    else this.response.end(this.request.wire.closing);
  }

  private get isOver(): boolean {
    return this.response.writableEnded || this.response.destroyed;
  }

  private hasStalled(now: number): boolean {
    if (this.stalledAt === null) return false;
    const stalledFor = now - this.stalledAt;
    return stalledFor >= STALLED_MS || (stalledFor >= STALLED_FULL_MS && this.unsent > FULL_BYTES);
  }

  /** A read that fails is tried again with the next beat. */
  private async read(): Promise<void> {
    this.reading = true;
    try {
      while (this.rung && !this.isOver) {
        this.rung = false;
        await this.readPage();
      }
    } catch (error) {
      this.rung = true;
      // The account is gone, or the log was cut beyond where the client stands: its next request says which.
      if (error instanceof DomainError) this.response.destroy();
      else this.failed(error);
    } finally {
      this.reading = false;
      if (Date.now() >= this.request.deadline) this.end();
    }
  }

  private async readPage(): Promise<void> {
    const { feed, wire, limit } = this.request;
    const { news } = this;
    this.news = null;
    const page = await this.deltas.page(feed, this.position, limit, news);
    if (page.deltas.length > 0) await this.send(page);
    this.position = page.end;
    if (!page.atHead) this.rung = true;
    if (wire.once && page.deltas.length > 0) this.response.end();
  }

  private async send(page: DeltaPage): Promise<void> {
    const bytes = Buffer.from(this.request.wire.page(page));
    for (let sent = 0; sent < bytes.length && !this.isOver; sent += SLICE_BYTES) {
      this.unsent = bytes.length - sent;
      if (!this.response.write(bytes.subarray(sent, sent + SLICE_BYTES))) await this.taken();
    }
    this.unsent = 0;
  }

  private async taken(): Promise<void> {
    this.stalledAt = Date.now();
    await new Promise<void>((resolve) => {
      this.resume = resolve;
    });
    this.stalledAt = null;
  }

  private proceed(): void {
    this.resume?.();
    this.resume = null;
  }
}
