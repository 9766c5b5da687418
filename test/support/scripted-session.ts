import type { ServerSettings } from '../../libs/providers/contracts/connection-settings.js';
import type { FolderCursor } from '../../libs/providers/contracts/mail-driver.js';
import type { ProviderErrorKind } from '../../libs/providers/contracts/provider-error.js';
import type { ImapOptions } from '../../libs/providers/imap/imap-connection.js';
import { ImapMailDriver } from '../../libs/providers/imap/imap-mail.driver.js';

import { type ScriptedImap, type ScriptedOptions, startScriptedImap } from './scripted-imap.js';

export const limits = { wholeSourceBytes: 1000, maxTextBytes: 1000 };
const quirks = { pollMs: 50 };
const patient = { quirks };
/** For servers that do not answer, and tests that wait until they are given up. */
export const quick = { stallMs: 300, connectMs: 1000, quirks };

/** A driver signed in to a scripted server, one at a time. */
export class ScriptedSession {
  server: ScriptedImap | undefined;
  driver: ImapMailDriver | undefined;

  async signIn(
    options: ScriptedOptions,
    settings: Partial<ServerSettings> = {},
    deadlines: ImapOptions = patient,
  ): Promise<ImapMailDriver> {
    await this.end();
    this.server = await startScriptedImap(options);
    const server = { host: '127.0.0.1', port: this.server.port, security: 'none', username: 'ada' } as const;
    this.driver = await ImapMailDriver.open({ ...server, verifyCertificate: true, ...settings }, 'secret', deadlines);
    return this.driver;
  }

  /** Commands the server received, without their tags. */
  get received(): readonly string[] {
    return this.server?.received ?? [];
  }

  async end(): Promise<void> {
    const { driver, server } = this;
    [this.driver, this.server] = [undefined, undefined];
    await driver?.close();
    await server?.stop();
  }
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}

/** Where a reader of the scripted server's inbox stands. */
export const cursor = (over: Partial<FolderCursor> = {}): FolderCursor => ({
  uidValidity: '7',
  modseq: null,
  uidNext: 14,
  messages: 3,
  ...over,
});

export const failing = (kind: ProviderErrorKind): unknown => expect.objectContaining({ name: 'ProviderError', kind });
