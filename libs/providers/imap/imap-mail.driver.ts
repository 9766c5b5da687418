import { PassThrough } from 'node:stream';

import type { ListResponse, StatusObject } from 'imapflow';

import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import type {
  FetchLimits,
  FolderCursor,
  FolderFact,
  FolderStatus,
  MailCapabilities,
  MailDriver,
  MessageFlags,
  RemoteFolder,
  RemoteMessage,
  WaitOutcome,
} from '#libs/providers/contracts/mail-driver.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import { cursorOf, folderChanges, withoutRecent } from './folder-changes.js';
import { ImapConnection, type ImapOptions } from './imap-connection.js';
import { searchUids } from './mail-search.js';
import { readMessages } from './message-reader.js';
import type { OpenedFolder } from './opened-folder.js';
import { remoteFolders } from './remote-folders.js';
import { listUids } from './uid-listing.js';
import { FolderWatch } from './folder-watch.js';
import { ImapWriter } from './imap-writer.js';

const CHUNK = 1_048_576;

/** Mail over IMAP4rev1, with what the server has of QRESYNC, CONDSTORE, IDLE, LIST-STATUS, SPECIAL-USE and OBJECTID. */
export class ImapMailDriver extends ImapWriter implements MailDriver {
  readonly capabilities: MailCapabilities;
  private readonly watch: FolderWatch;
  /** Where each folder stood when its changes were last told. */
  private readonly told = new Map<string, FolderCursor>();

  private constructor(connection: ImapConnection, options: ImapOptions) {
    super(connection);
    this.capabilities = {
      condstore: connection.condstore,
      qresync: connection.flow.enabled.has('QRESYNC'),
      idle: connection.has('IDLE'),
      listStatus: connection.has('LIST-STATUS'),
      objectId: connection.has('OBJECTID'),
      uidPlus: connection.has('UIDPLUS'),
      move: connection.has('MOVE'),
      gmailSearch: connection.has('X-GM-EXT-1'),
    };
    this.watch = new FolderWatch(connection, connection.quirks(options.quirks));
  }

  /** Connects and signs in. @throws ProviderError */
  static async open(settings: ServerSettings, password: string, options: ImapOptions = {}): Promise<ImapMailDriver> {
    return new ImapMailDriver(await ImapConnection.open(settings, password, options), options);
  }

  async folders(): Promise<RemoteFolder[]> {
    const { flow } = this.connection;
    const statusQuery = { messages: true, uidNext: true, uidValidity: true, highestModseq: true };
    const options = this.capabilities.listStatus ? { statusQuery } : {};
    const listed = await this.connection.guard('listing folders', () => flow.list(options));
    const folders = remoteFolders(listed.map(toListed), this.connection.namespacePrefix);
    if (folders.length === 0) {
      throw new ProviderError('unavailable', 'The mail server lists no folder at all, which cannot be true.');
    }
    return folders;
  }

  async *changes(path: string, since: FolderCursor | null, depth: 'recent' | 'full'): AsyncGenerator<FolderFact> {
    for await (const fact of folderChanges(this.connection, path, since, depth)) {
      if (fact.fact === 'cursor') this.told.set(path, fact.cursor);
      yield fact;
    }
  }

  async newest(path: string, count: number): Promise<{ cursor: FolderCursor; uids: number[] }> {
    const folder = await this.examine(path);
    const uids = new Set<number>();
    if (folder.messages > 0 && count > 0) {
      const range = `${Math.max(1, folder.messages - count + 1)}:${folder.messages}`;
      const rows = this.connection.flow.fetch(range, { uid: true });
      for await (const row of this.connection.rows(`reading ${path}`, rows)) if (row.uid) uids.add(row.uid);
    }
    return { cursor: cursorOf(folder), uids: [...uids].sort((a, b) => b - a) };
  }

  async mailboxId(path: string): Promise<string | null> {
    try {
      return (await this.examine(path)).mailboxId;
    } catch (error) {
      if (error instanceof ProviderError && folderKinds.has(error.kind)) return null;
      throw error;
    }
  }

  async uids(path: string): Promise<number[]> {
    await this.ensureOpen(path);
    return listUids(this.connection, path);
  }

  async search(path: string, text: string): Promise<number[]> {
    await this.ensureOpen(path);
    return searchUids(this.connection, path, text);
  }

  async *flags(path: string, low: number, high: number): AsyncGenerator<MessageFlags> {
    await this.ensureOpen(path);
    // To a sequence set for an empty folder some servers say BAD.
    if (!this.connection.selected?.exists) return;
    const rows = this.connection.flow.fetch(`${low}:${high}`, { uid: true, flags: true }, { uid: true });
    for await (const { uid, flags } of this.connection.rows(`reading flags in ${path}`, rows)) {
      if (uid >= low && uid <= high && flags) yield { uid, flags: withoutRecent(flags) };
      // News of another message, which imapflow takes for a part of the answer.
      else this.connection.stirred = true;
    }
  }

  async *messages(path: string, uids: readonly number[], limits: FetchLimits): AsyncGenerator<RemoteMessage> {
    if (uids.length === 0) return;
    await this.ensureOpen(path);
    yield* readMessages(this.connection, path, uids, limits);
  }

  async source(path: string, uid: number): Promise<NodeJS.ReadableStream> {
    return this.download(path, uid, undefined);
  }

  async part(path: string, uid: number, part: string): Promise<NodeJS.ReadableStream> {
    return this.download(path, uid, part);
  }

  async waitForChange(path: string, timeoutMs: number, signal: AbortSignal): Promise<WaitOutcome> {
    const { selected } = this.connection;
    // A folder opened for writing has not told what happened before that.
    if (selected?.path !== path || !selected.readOnly) {
      const folder = await this.examine(path);
      const told = this.told.get(path);
      if (told && !isSame(told, cursorOf(folder))) return 'changed';
    }
    const outcome = await this.watch.wait(path, timeoutMs, signal);
    return outcome === 'changed' && this.connection.grown ? 'arrived' : outcome;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** Opening a folder that was open forgets what stirred in it, so that is kept. */
  private async examine(path: string): Promise<OpenedFolder> {
    const stirred = this.connection.selected?.path === path && this.connection.stirred;
    const folder = await this.connection.examine(path);
    this.connection.stirred ||= stirred;
    return folder;
  }

  private async ensureOpen(path: string): Promise<void> {
    if (this.connection.selected?.path !== path) await this.examine(path);
  }

  private async download(path: string, uid: number, part: string | undefined): Promise<NodeJS.ReadableStream> {
    await this.ensureOpen(path);
    const doing = `downloading from ${path}`;
    const { content } = await this.connection.guard(doing, () =>
      this.connection.flow.download(String(uid), part, { uid: true, chunkSize: CHUNK, decodeText: false }),
    );
    if (!content) throw new ProviderError('not-found', `Message ${uid} or its part is not in ${path} any more.`);
    const out = new PassThrough({ highWaterMark: CHUNK });
    const unwatch = this.connection.watchStream(doing, out);
    content.on('error', (error: unknown) => out.destroy(this.connection.translate(error, doing)));
    out.on('close', () => {
      unwatch();
      content.destroy();
    });
    return content.pipe(out);
  }
}

function toListed(folder: ListResponse) {
  return {
    path: folder.path,
    delimiter: folder.delimiter || null,
    flags: folder.flags,
    status: toStatus(folder.status),
    // imapflow asks neither LIST nor STATUS for it, and opening every folder would cost a round trip for each.
    mailboxId: null,
  };
}

function toStatus(status: StatusObject | undefined): FolderStatus | null {
  if (status?.messages === undefined) return null;
  return {
    messages: status.messages,
    uidNext: status.uidNext ?? null,
    uidValidity: status.uidValidity ? String(status.uidValidity) : null,
    highestModseq: status.highestModseq ? String(status.highestModseq) : null,
  };
}

function isSame(a: FolderCursor, b: FolderCursor): boolean {
  return (
    a.uidValidity === b.uidValidity && a.modseq === b.modseq && a.uidNext === b.uidNext && a.messages === b.messages
  );
}
