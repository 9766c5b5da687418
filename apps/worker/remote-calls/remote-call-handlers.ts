import { setTimeout as delay } from 'node:timers/promises';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { EgressGuard } from '#libs/common/egress-guard.js';
import { DomainError, NotFound } from '#libs/common/errors.js';
import { type MessagePlace, MessagePlaces } from '#libs/domain/messages/message-places.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';
import { verifyCredentials } from '#libs/providers/registry/verify-credentials.js';
import type { RemoteReply, RemoteRequest, TakenCall } from '#libs/queues/remote-call-catalogue.js';
import { ConnectionBudget } from '#libs/sync/connection-budget.js';
import { Connections } from '#libs/sync/connections.js';
import { Sending } from '#libs/sync/send/sending.service.js';

import { ProviderSearch } from './provider-search.js';
import { type OpenConnection, WarmConnections } from './warm-connections.js';

const WARM_MS = 45_000;
/** How long a call waits for a free place among its account's connections. */
const PATIENCE_MS = 20_000;

/** Answers what the API asks of providers. */
@Injectable()
export class RemoteCallHandlers implements OnApplicationShutdown {
  private readonly warm: WarmConnections;

  constructor(
    private readonly connections: Connections,
    private readonly budget: ConnectionBudget,
    private readonly registry: DriverRegistry,
    private readonly guard: EgressGuard,
    private readonly places: MessagePlaces,
    private readonly sending: Sending,
    private readonly search: ProviderSearch,
    @Inject(BlobStore) private readonly blobs: BlobStore,
  ) {
    this.warm = new WarmConnections((accountId) => this.open(accountId), WARM_MS);
  }

  /** @throws DomainError when the caller can be told; anything else is a bug */
  async handle(call: TakenCall): Promise<unknown> {
    switch (call.name) {
      case 'credentials.verify':
        return verifyCredentials(this.registry, this.guard, call.request);
      case 'message.source':
        return this.messageSource(call.request);
      case 'file.content':
        return this.fileContent(call.request);
      case 'message.send':
        return this.sending.run(call.request.accountId, call.request.sendId);
      case 'mail.search':
        return this.search.run(this.warm, call.request).catch(told);
      default:
        return call satisfies never;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.warm.close();
  }

  /** A caller waits, so this asks again before it gives up: other workers keep connections warm only for a while. */
  private async open(accountId: string): Promise<OpenConnection> {
    const deadline = Date.now() + PATIENCE_MS;
    let lease = await this.budget.take(accountId, 'call');
    while (!lease && Date.now() < deadline) {
      await delay(250);
      lease = await this.budget.take(accountId, 'call');
    }
    if (!lease) throw new ProviderError('throttled', 'All connections of the account are in use.');
    try {
      const driver = await this.connections.openMail(accountId);
      return { driver, close: () => driver.close().finally(() => lease.release()) };
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  private async messageSource(request: RemoteRequest<'message.source'>): Promise<RemoteReply<'message.source'>> {
    return this.fetch(request.accountId, request.messageId, (driver, { path, uid }) => driver.source(path, uid));
  }

  private async fileContent({
    accountId,
    fileId,
  }: RemoteRequest<'file.content'>): Promise<RemoteReply<'file.content'>> {
    const file = await this.places.ofFile(accountId, fileId);
    if (!file?.messageId || !file.part) throw new NotFound('file', fileId);
    const { messageId, part } = file;
    const fetched = await this.fetch(accountId, messageId, (driver, { path, uid }) => driver.part(path, uid, part));
    await this.places.rememberBlob(accountId, fileId, fetched.blobKey);
    return fetched;
  }

  /** A copy may be gone that we have not heard of yet: the others are tried. */
  private async fetch(
    accountId: string,
    messageId: string,
    read: (driver: MailDriver, place: MessagePlace) => Promise<NodeJS.ReadableStream>,
  ): Promise<RemoteReply<'message.source'>> {
    for (const place of await this.places.ofMessage(accountId, messageId)) {
      try {
        const { key, size } = await this.warm.use(accountId, async (driver) =>
          this.blobs.put(await read(driver, place)),
        );
        return { blobKey: key, size };
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        if (error.kind !== 'not-found') throw temporary(error);
      }
    }
    throw new DomainError(404, 'invalid_request_error', 'The data was deleted on the email server.');
  }
}

/** What a caller can be told. */
function told(error: unknown): never {
  throw error instanceof ProviderError ? temporary(error) : error;
}

function temporary(error: ProviderError): DomainError {
  if (error.kind === 'credentials') {
    return new DomainError(
      403,
      'provider_error',
      'The email server refuses our credentials. The account must be connected again.',
    );
  }
  return new DomainError(
    503,
    'provider_error',
    'Email server returned a temporary error. Please try again in a few minutes.',
  );
}
