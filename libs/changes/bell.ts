import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';

import type { Logger } from '#libs/common/logger.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;
/** How often a silent connection is asked whether it still lives, and how long it may take to say so. */
const CHECK_MS = 20_000;
const ANSWER_MS = 5000;

/**
 * May be called without cause, and once for many changes: look at what there is. Must not throw.
 * @param news what the notice says beside the account's id; empty when it says nothing more
 */
export type Heard = (news: string) => void;

/** Tells who waits for news of an account that there may be some. One connection a process, kept up while it lives. */
export abstract class Bell implements OnApplicationShutdown {
  private readonly waiting = new Map<string, Set<Heard>>();
  private readonly everywhere = new Set<(accountId: string | null) => void>();
  private readonly closing = new AbortController();
  private running: Promise<void> | null = null;
  private socket: Socket | null = null;

  constructor(
    /** Of PostgreSQL's NOTIFY; payloads are account ids, perhaps with a space and news behind them. */
    private readonly channel: string,
    private readonly dataSource: DataSource,
    private readonly logger: Logger,
  ) {}

  /**
   * Look once after this: what commits later than that is rung for. While there is no connection nothing
   * is heard, and when there is one again everybody is called.
   * @returns what ends it
   */
  listen(accountId: string, heard: Heard): () => void {
    const waiting = this.waiting.get(accountId) ?? new Set();
    this.waiting.set(accountId, waiting.add(heard));
    this.running ??= this.keepListening();
    return () => {
      waiting.delete(heard);
      if (waiting.size === 0 && this.waiting.get(accountId) === waiting) this.waiting.delete(accountId);
    };
  }

  /** Hears of every account; of null when something may have been missed. Must not throw. */
  listenToAll(heard: (accountId: string | null) => void): void {
    this.everywhere.add(heard);
    this.running ??= this.keepListening();
  }

  async onApplicationShutdown(): Promise<void> {
    this.closing.abort();
    this.socket?.destroy();
    await this.running;
  }

  private async keepListening(): Promise<void> {
    let pause = FIRST_RETRY_MS;
    while (!this.closing.signal.aborted) {
      const began = Date.now();
      try {
        await this.hold();
      } catch (error) {
        if (!this.closing.signal.aborted)
          this.logger.warn({ err: error, channel: this.channel }, 'not told of news: connecting again');
      }
      pause = Date.now() - began > LAST_RETRY_MS ? FIRST_RETRY_MS : Math.min(pause * 2, LAST_RETRY_MS);
      // The end wakes it up.
      await sleep(pause, undefined, { signal: this.closing.signal }).catch(() => undefined);
    }
  }

  /** Listens until the connection breaks. */
  private async hold(): Promise<void> {
    const { url } = this.dataSource.options as { readonly url?: string };
    const socket = new Socket();
    const client = new Client({
      connectionString: url,
      application_name: `postrider ${this.channel}`,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      stream: () => socket,
    });
    this.socket = socket;
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
    });
    client.on('error', () => socket.destroy());
    client.on('notification', ({ payload }) => this.ring(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${this.channel}`);
      this.ringAll();
      await this.watch(client, ended);
    } finally {
      socket.destroy();
    }
  }

  /** A connection that a firewall forgot looks like a quiet one: it has to answer from time to time. */
  private async watch(client: Client, ended: Promise<void>): Promise<void> {
    const check = setInterval(() => {
      client.query('SELECT 1').catch(() => this.socket?.destroy());
    }, CHECK_MS);
    await ended;
    clearInterval(check);
  }

  private ring(payload: string): void {
    const space = payload.indexOf(' ');
    const accountId = space < 0 ? payload : payload.slice(0, space);
    const news = space < 0 ? '' : payload.slice(space + 1);
    for (const heard of this.waiting.get(accountId) ?? []) heard(news);
    for (const heard of this.everywhere) heard(accountId);
  }

  private ringAll(): void {
    for (const accountId of this.waiting.keys()) this.ring(accountId);
    for (const heard of this.everywhere) heard(null);
  }
}
