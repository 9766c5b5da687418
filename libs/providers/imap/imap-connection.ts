import type { LookupAddress } from 'node:dns';
import type { Writable } from 'node:stream';

import {
  ImapFlow,
  type ExpungeEvent,
  type FlagsEvent,
  type ImapFlowOptions,
  type MailboxOpenOptions,
  type MailboxObject,
} from 'imapflow';

import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { ofFolder, toProviderError } from './imap-errors.js';
import { flowLogger } from './flow-logger.js';
import { flowOptions } from './imap-flow-options.js';
import { type Heard, type OpenedFolder, openedFolder } from './opened-folder.js';
import { quirksOf, type ServerQuirks } from './server-quirks.js';
import { unlessStalled, type WatchedLine, watchStream } from './stall.js';

export interface ImapOptions {
  /** Turns the host into addresses that may be connected to; throws for one that may not. Default: the system. */
  readonly resolve?: (host: string) => Promise<LookupAddress[]>;
  /** Silence on the wire, in the middle of a command, after which the connection is cut. */
  readonly stallMs?: number;
  /** For DNS, TCP, TLS and greeting together. */
  readonly connectMs?: number;
  /** Over what is known about the server. */
  readonly quirks?: Partial<ServerQuirks>;
}

/** A server that names more uids than this in one go is no help but a danger. */
const MAX_VANISHED = 1_000_000;
/** When more than this happened in a folder, asking for its flags and its list costs less than hearing it told. */
const MAX_COLLECTED = 50_000;

/** Facts that the server volunteers, collected while somebody listens. */
interface Collector {
  readonly path: string;
  readonly vanished: number[];
  readonly present: Map<number, readonly string[]>;
  /** More came than was kept. */
  overflowed: boolean;
}

/**
 * One IMAP connection: imapflow with limits and deadlines of our own, every failure a ProviderError, and an eye on what
 * happens in the open folder.
 */
export class ImapConnection {
  readonly flow: ImapFlow;
  /** Prefix of the user's own folders, e.g. `INBOX.`; '' when there is none. */
  namespacePrefix = '';
  /** Lines of the server that could not be parsed and were skipped by imapflow. */
  unreadable = 0;
  /** Something happened in the open folder that `changes` has not told yet. */
  stirred = false;
  private readonly line: WatchedLine = {
    received: () => this.flow.stats().received,
    cut: () => this.flow.close(),
  };
  private collector: Collector | null = null;
  private readonly watchers = new Set<() => void>();
  private failure: unknown = null;
  /** When the open folder was opened. */
  private messages = 0;
  /** Expunge events since the folder was opened. */
  private expunged = 0;
  /** Opening anew a folder that is open makes imapflow report differences that the snapshot holds already. */
  private opening = false;

  private constructor(
    flowOptions: ImapFlowOptions,
    private readonly stallMs: number,
  ) {
    this.flow = new ImapFlow({
      ...flowOptions,
      logger: flowLogger({
        unreadable: () => void this.unreadable++,
        // We rather hang up, and let the account rest.
        throttled: (throttleReset) => this.breakOff(new Error('Throttled'), 'ETHROTTLE', { throttleReset }),
      }),
      expungeHandler: (event) => this.onExpunge(event),
    });
    // Node ends the process on an error event nobody listens to, and sockets may fail late.
    this.flow.on('error', (error) => {
      this.failure ??= error;
      this.wake();
    });
    this.flow.on('close', () => this.wake());
    this.flow.on('exists', () => this.stir());
    this.flow.on('highestModseq', () => this.stir());
    this.flow.on('flags', (event) => this.onFlags(event));
  }

  static async open(
    settings: ServerSettings,
    password: string,
    { resolve, stallMs = 60_000, connectMs = 30_000 }: ImapOptions = {},
  ): Promise<ImapConnection> {
    const addresses = await resolve?.(settings.host).catch((error: unknown) => {
      throw new ProviderError('unavailable', `The address of ${settings.host} cannot be used.`, { cause: error });
    });
    const connection = new ImapConnection(flowOptions(settings, password, addresses, connectMs), stallMs);
    try {
      await connection.guard('signing in', () => connection.flow.connect(), connectMs + stallMs);
      connection.takeNamespace();
      return connection;
    } catch (error) {
      connection.flow.close();
      throw error;
    }
  }

  /** imapflow would put the prefix before every name that lacks it, the names of shared folders included. */
  private takeNamespace(): void {
    const { namespace } = this.flow;
    if (!namespace) return;
    this.namespacePrefix = namespace.prefix ?? '';
    this.flow.namespace = { ...namespace, prefix: '' };
  }

  get usable(): boolean {
    return this.flow.usable;
  }

  has(capability: string): boolean {
    return this.flow.capabilities.has(capability);
  }

  /** What has to be done differently for this server. */
  quirks(over: Partial<ServerQuirks> = {}): ServerQuirks {
    const { name = '', vendor = '' } = this.flow.serverInfo ?? {};
    return quirksOf({ host: this.flow.host, id: `${name} ${vendor}`.trim() }, over);
  }

  get condstore(): boolean {
    return this.flow.enabled.has('CONDSTORE');
  }

  /** There are more messages in the open folder than when it was opened. */
  get grown(): boolean {
    return (this.selected?.exists ?? 0) > this.messages;
  }

  get selected(): MailboxObject | null {
    return this.flow.mailbox || null;
  }

  /**
   * Opens a folder for reading, anew even when it is open: only so do we get a fresh snapshot. With `since` the server
   * also tells what happened, where it can (QRESYNC, RFC 7162 3.2.5).
   */
  async examine(path: string, since: { uidValidity: string; modseq: string } | null = null): Promise<OpenedFolder> {
    this.opening = true;
    this.expunged = 0;
    const listening = this.listen(path);
    try {
      const resume = since ? { changedSince: BigInt(since.modseq), uidValidity: BigInt(since.uidValidity) } : {};
      const box = await this.mailboxOpen(path, { readOnly: true, ...resume });
      this.stirred = false;
      this.messages = box.exists;
      const folder = openedFolder(path, box, this.condstore, listening.heard);
      return folder.uidNext === null && folder.messages > 0
        ? { ...folder, uidNext: await this.askUidNext(path) }
        : folder;
    } finally {
      this.opening = false;
      listening.stop();
    }
  }

  /** Opens a folder for writing, unless it is open so. What stirred in it is kept in mind. */
  async select(path: string): Promise<void> {
    if (this.selected?.path === path && !this.selected.readOnly) return;
    const stirred = this.selected?.path === path && this.stirred;
    this.opening = true;
    try {
      await this.mailboxOpen(path, { readOnly: false });
    } finally {
      this.opening = false;
    }
    this.stirred = stirred;
  }

  private mailboxOpen(path: string, options: MailboxOpenOptions): Promise<MailboxObject> {
    return this.guardInFolder(`opening ${path}`, () => this.flow.mailboxOpen(path, options));
  }

  /** Some servers leave UIDNEXT out. What has arrived since would not be told from what was there. */
  private async askUidNext(path: string): Promise<number | null> {
    let highest = 0;
    for await (const { uid } of this.rows(`opening ${path}`, this.flow.fetch('*', { uid: true }))) {
      highest = Math.max(highest, uid || 0);
    }
    return highest > 0 ? highest + 1 : null;
  }

  /** Collects what the server volunteers about the open folder until `stop`. */
  listen(path: string): { readonly heard: Heard; stop(): void } {
    const collector: Collector = { path, vanished: [], present: new Map(), overflowed: false };
    this.collector = collector;
    return {
      heard: collector,
      stop: () => {
        if (this.collector === collector) this.collector = null;
      },
    };
  }

  /** Runs one command; when the server falls silent in the middle of it the connection is cut. @throws ProviderError */
  async guard<T>(doing: string, command: () => Promise<T>, stallMs = this.stallMs): Promise<T> {
    try {
      return await unlessStalled(this.line, stallMs, doing, command);
    } catch (error) {
      throw this.translate(error, doing);
    }
  }

  /** As `guard`, for what may fail in one folder while others are well. @throws ProviderError `folder-unavailable` then */
  async guardInFolder<T>(doing: string, command: () => Promise<T>): Promise<T> {
    try {
      return await this.guard(doing, command);
    } catch (error) {
      throw ofFolder(error);
    }
  }

  /** As `guard`, for answers that come row by row. The time a consumer takes over a row does not count. */
  async *rows<T>(doing: string, source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.guard(doing, () => iterator.next());
        if (step.done) return;
        yield step.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  watchStream(doing: string, stream: Writable): () => void {
    return watchStream(this.line, this.stallMs, doing, stream);
  }

  /** A broken limit closes the connection first; commands then fail with "closed", which says nothing. */
  translate(error: unknown, doing: string): ProviderError {
    const translated = toProviderError(error, doing);
    if (translated.kind !== 'unavailable' || !this.failure) return translated;
    const root = toProviderError(this.failure, doing);
    return root.kind === 'unavailable' ? translated : root;
  }

  /** Calls back at every event of the open folder, and when the connection breaks. Returns the way to stop it. */
  watch(onEvent: () => void): () => void {
    this.watchers.add(onEvent);
    return () => this.watchers.delete(onEvent);
  }

  /** Says goodbye, but does not wait for an answer longer than two seconds. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, 2000)));
    const goodbye = this.flow.usable ? this.flow.logout().catch(() => undefined) : Promise.resolve();
    await Promise.race([goodbye, patience]);
    clearTimeout(timer);
    this.flow.close();
  }

  private stir(): void {
    if (this.opening) return;
    this.stirred = true;
    this.wake();
  }

  wake(): void {
    for (const watcher of this.watchers) watcher();
  }

  private onFlags(event: FlagsEvent): void {
    const collector = this.collector;
    if (collector?.path !== event.path || !event.uid || !event.flags) this.stir();
    else if (collector.present.size < MAX_COLLECTED) collector.present.set(event.uid, [...event.flags]);
    else collector.overflowed = true;
  }

  /**
   * imapflow walks a range uid by uid and waits for us: that is our chance to stay responsive, and to stop it. A range
   * is a few bytes on the wire and may stand for four billion uids.
   */
  private async onExpunge(event: ExpungeEvent): Promise<void> {
    this.expunged++;
    if (this.expunged > MAX_VANISHED) this.breakOff(new RangeError('VANISHED without end'), 'TooManyResponses');
    if (!this.usable) return new Promise(() => undefined);
    if (this.expunged % 2000 === 0) await new Promise((resolve) => setImmediate(resolve));
    const collector = this.collector;
    if (collector?.path !== event.path || !event.uid) this.stir();
    else if (collector.vanished.length < MAX_COLLECTED) collector.vanished.push(event.uid);
    else collector.overflowed = true;
  }

  private breakOff(cause: Error, code: string, more: object = {}): void {
    this.failure ??= Object.assign(cause, { code, ...more });
    this.flow.close();
  }
}
