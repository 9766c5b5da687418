import type { ServerResponse } from 'node:http';

import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import type { DeltaFeed } from '#libs/domain/deltas/delta-feed.js';
import { type DeltaPage, DeltasService } from '#libs/domain/deltas/deltas.service.js';

import { LiveBody } from '../http/reply.js';

import { LiveFeed, type LiveRequest } from './live-feed.js';
import { Pulse } from './pulse.js';
import { eventSource, lines, longpoll } from './wires.js';

/** Changes a stream reads at a time. */
const STREAM_PAGE = 100;

/** The connections of this process on which somebody waits for changes. */
@Injectable()
export class LiveFeeds implements OnModuleDestroy {
  private readonly pulse = new Pulse<LiveFeed>();
  private closed = false;

  constructor(
    private readonly deltas: DeltasService,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** @throws InvalidRequest, CursorExpired: as long as nothing was sent, a bad cursor is answered like anywhere. */
  async lines(feed: DeltaFeed, cursor: string, seconds: number): Promise<LiveBody> {
    const position = await this.deltas.positionOf(feed.account, cursor);
    return this.body({ feed, position, limit: STREAM_PAGE, wire: lines, deadline: deadline(seconds) });
  }

  /** Without a cursor it begins now. @throws as `lines` */
  async events(feed: DeltaFeed, cursor: string | undefined, seconds: number): Promise<LiveBody> {
    const given = cursor ?? (await this.deltas.latestCursor(feed.account));
    const position = await this.deltas.positionOf(feed.account, given);
    return this.body({ feed, position, limit: STREAM_PAGE, wire: eventSource(given), deadline: deadline(seconds) });
  }

  /** @throws as `lines` */
  async longpoll(feed: DeltaFeed, cursor: string, limit: number, seconds: number): Promise<LiveBody> {
    const position = await this.deltas.positionOf(feed.account, cursor);
    const nothing: DeltaPage = { deltas: [], end: position, atHead: true };
    const wire = longpoll((page) => this.deltas.envelope(feed, cursor, page ?? nothing));
    return this.body({ feed, position, limit: Math.max(limit, 1), wire, deadline: deadline(seconds) });
  }

  /** Open connections would keep the server from closing. */
  onModuleDestroy(): void {
    this.closed = true;
    for (const feed of this.pulse.members()) feed.end();
  }

  private body(request: LiveRequest): LiveBody {
    return new LiveBody((response) => this.open(request, response));
  }

  private open(request: LiveRequest, response: ServerResponse): void {
    const { account } = request.feed;
    const feed = new LiveFeed(this.deltas, request, response, (error) =>
      this.logger.warn({ err: error, accountId: account.id }, 'reading changes failed, trying again'),
    );
    feed.open();
    if (this.closed || response.req.method === 'HEAD') return feed.end();
    const silence = this.deltas.listen(account, (news) => feed.ring(news));
    const leave = this.pulse.join(feed);
    response.on('close', () => {
      silence();
      leave();
    });
    feed.ring();
  }
}

const deadline = (seconds: number): number => Date.now() + seconds * 1000;
