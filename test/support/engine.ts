import 'reflect-metadata';

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ImapFlow } from 'imapflow';
import { DataSource } from 'typeorm';

import type { Dovecot } from '../../apps/launcher/peers/dovecot.js';
import { startDovecot } from '../../apps/launcher/peers/dovecot.js';
import type { DovecotSettings } from '../../apps/launcher/peers/dovecot-config.js';

import { newId } from '#libs/common/ids.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { readConfig } from '#libs/config/config.js';
import { ConfigModule } from '#libs/config/config.module.js';
import { LoggerModule } from '#libs/config/logger.module.js';
import { DatabaseModule } from '#libs/database/database.module.js';
import { QueuesModule } from '#libs/queues/queues.module.js';
import { AccountSession } from '#libs/sync/account-session.js';
import { type AccountClaim, AccountState } from '#libs/sync/account-state.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { Backfill } from '#libs/sync/mail/backfill.js';
import { SyncModule } from '#libs/sync/sync.module.js';

import { createDatabase, createRedis } from './servers.js';

export interface EngineOptions {
  readonly dovecot?: DovecotSettings;
  readonly env?: Readonly<Record<string, string>>;
}

/** The engine in this process, on a database of its own, against a real Dovecot. */
export class Engine {
  private stopSession: (() => Promise<void>) | null = null;

  private constructor(
    readonly app: INestApplicationContext,
    readonly dovecot: Dovecot,
    private readonly release: () => Promise<void>,
  ) {}

  static async start(options: EngineOptions = {}): Promise<Engine> {
    const [database, redis] = [await createDatabase(), await createRedis()];
    const dir = await mkdtemp(path.join(tmpdir(), 'pr-'));
    const dovecot = await startDovecot({ dir, users: { 'ada@example.com': 'pw' }, settings: options.dovecot });
    const config = readConfig({
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      DATA_DIR: dir,
      LOG_LEVEL: 'error',
      EGRESS_ALLOW_PRIVATE: 'true',
      SYNC_FOLDER_POLL_SECONDS: '1',
      SYNC_ORPHAN_GRACE_SECONDS: '0',
      ...options.env,
    });
    const app = await NestFactory.createApplicationContext(
      {
        module: class EngineModule {},
        imports: [
          ConfigModule.forRoot(config),
          LoggerModule.forRoot('test'),
          DatabaseModule.forRoot('test'),
          QueuesModule,
          SyncModule,
        ],
      },
      { logger: ['error'] },
    );
    return new Engine(app, dovecot, async () => {
      await dovecot.stop();
      await database.drop();
      await redis.drop();
      await rm(dir, { recursive: true, force: true });
    });
  }

  async stop(): Promise<void> {
    await this.stopSession?.();
    await this.app.close();
    await this.release();
  }

  async rows<Row = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.app.get(DataSource).query<Row[]>(sql, parameters);
  }

  /** An account of the Dovecot's user, connected as if by hosted authentication. */
  async addAccount(port = this.dovecot.imapPort, emailAddress = 'ada@example.com'): Promise<string> {
    const id = newId();
    const server = { host: '127.0.0.1', port, security: 'none', username: emailAddress, verifyCertificate: true };
    await this.rows(
      `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
         organization_unit, sync_state) VALUES ($1, 'app', $2, $3, 'Ada', 'imap', 'imap', $4, 'folder', 'initializing')`,
      [id, emailAddress, canonicalEmail(emailAddress), JSON.stringify({ imap: server, smtp: null })],
    );
    const secret = JSON.stringify({ kind: 'password', imapPassword: 'pw', smtpPassword: 'pw' });
    await this.rows('INSERT INTO grants (account_id, sealed) VALUES ($1, $2)', [
      id,
      this.app.get(SecretBox).seal(secret, id),
    ]);
    return id;
  }

  /**
   * Runs the account's session in the background; `stop` ends it. With `again`, a session that lost its connection is
   * followed by the next at once, where the worker would wait a moment.
   */
  async watch(
    accountId: string,
    { again = false }: { readonly again?: boolean } = {},
  ): Promise<{ stop: () => Promise<void>; ended: Promise<unknown> }> {
    const abort = new AbortController();
    const claim = async () => {
      const taken = await this.app.get(AccountState).claim(accountId);
      if (!taken) throw new Error('the account cannot be claimed');
      return taken;
    };
    const turn = (taken: AccountClaim): Promise<unknown> =>
      this.app
        .get(AccountSession)
        .run(taken, abort.signal, Date.now() + 600_000)
        .then(
          () => null,
          (error: unknown) => {
            process.stderr.write(`session ended: ${error instanceof Error ? error.stack : String(error)}\n`);
            const lost = error instanceof ProviderError && error.kind === 'unavailable';
            return again && lost && !abort.signal.aborted ? claim().then(turn) : error;
          },
        );
    const ended = turn(await claim());
    const stop = async () => {
      abort.abort();
      await ended;
    };
    this.stopSession = stop;
    return { stop, ended };
  }

  /** Reads all old mail there is. */
  async backfill(accountId: string): Promise<void> {
    const source = new OneConnection(() => this.app.get(Connections).openMail(accountId));
    try {
      while ((await this.app.get(Backfill).run(accountId, source, Date.now() + 5000)) === 'again');
      await this.app.get(AccountState).settle(accountId);
    } finally {
      await source.discard();
    }
  }

  /** A mail client of the same mailbox. The caller logs it out. */
  async client(): Promise<ImapFlow> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: this.dovecot.imapPort,
      secure: false,
      doSTARTTLS: false,
      auth: { user: 'ada@example.com', pass: 'pw' },
      logger: false,
    });
    await client.connect();
    return client;
  }
}
