import type { ServerResponse } from 'node:http';

import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { TooManyRequests } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import type { DeltaFeed } from '#libs/domain/deltas/delta-feed.js';
import { type DeltaPage, DeltasService } from '#libs/domain/deltas/deltas.service.js';

import { LiveBody } from '../http/reply.js';

import { LiveFeed, type LiveRequest } from './live-feed.js';
import { Pulse } from './pulse.js';
import { eventSource, lines, longpoll } from './wires.js';

/** Changes a stream reads at a time. */
const STREAM_PAGE = 100;
/** After which a stream that was refused may be tried again. */
const RETRY_SECONDS = 1;

/** The connections of this process on which somebody waits for changes. */
@Injectable()
export class LiveFeeds implements OnModuleDestroy {
  private readonly pulse = new Pulse<LiveFeed>();
  /** By account. */
  private readonly open = new Map<string, number>();
  private closed = false;

  constructor(
    private readonly deltas: DeltasService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'STREAMS_PER_ACCOUNT'>,
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
    this.limit(request.feed.account);
    return new LiveBody((response) => this.serve(request, response));
  }

  /** @throws TooManyRequests when the account has as many streams of this process as it may have */
  private limit({ id }: AccountRef): void {
    const most = this.config.STREAMS_PER_ACCOUNT;
    if (most === 0 || (this.open.get(id) ?? 0) < most) return;
    const message = `Too many streams of this account are open: ${most} are allowed. Please close one.`;
    throw new TooManyRequests(message, most, RETRY_SECONDS);
  }

  private count(accountId: string, more: 1 | -1): void {
    const now = (this.open.get(accountId) ?? 0) + more;
    if (now === 0) this.open.delete(accountId);
    else this.open.set(accountId, now);
  }

  private serve(request: LiveRequest, response: ServerResponse): void {
    const { account } = request.feed;
    const feed = new LiveFeed(this.deltas, request, response, (error) =>
      this.logger.warn({ err: error, accountId: account.id }, 'reading changes failed, trying again'),
    );
    feed.open();
    if (this.closed || response.req.method === 'HEAD') return feed.end();
    const silence = this.deltas.listen(account, (news) => feed.ring(news));
    const leave = this.pulse.join(feed);
    this.count(account.id, 1);
    response.on('close', () => {
      silence();
      leave();
      this.count(account.id, -1);
    });
    feed.ring();
  }
}

const deadline = (seconds: number): number => Date.now() + seconds * 1000;
