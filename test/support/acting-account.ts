import type { ImapFlow } from 'imapflow';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import type { JobStatusView } from '#libs/domain/actions/job-status.view.js';
import { JobStatuses } from '#libs/domain/actions/job-statuses.service.js';
import { FolderUpdates } from '#libs/domain/folders/folder-updates.service.js';
import { MailUpdates } from '#libs/domain/messages/mail-updates.service.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { AccountState } from '#libs/sync/account-state.js';
import { Connections } from '#libs/sync/connections.js';
import { OneConnection } from '#libs/sync/driver-source.js';
import { FolderRound } from '#libs/sync/folder-round.js';
import type { Watch } from '#libs/sync/folder-visits.js';
import { Syncback } from '#libs/sync/syncback/syncback.js';

import { Engine, type EngineOptions } from './engine.js';
import { letter } from './letters.js';

/** What replaces members of the driver; the real ones are in `driver`. */
export type Meddling = (driver: MailDriver) => Partial<MailDriver>;

/** An account whose user changes things, and whose session does only what a test tells it to do. */
export class ActingAccount {
  readonly mail: MailUpdates;
  readonly folders: FolderUpdates;
  readonly ref: AccountRef;

  private constructor(
    readonly engine: Engine,
    readonly client: ImapFlow,
    readonly id: string,
  ) {
    const writer = engine.app.get(AccountWriter);
    this.mail = new MailUpdates(writer);
    this.folders = new FolderUpdates(writer);
    this.ref = { id, organizationUnit: 'folder' } as AccountRef;
  }

  static async open(engine: Engine): Promise<ActingAccount> {
    return new ActingAccount(engine, await engine.client(), await engine.addAccount());
  }

  /** On an engine of its own, with all folders known. */
  static async start(options: EngineOptions = {}): Promise<ActingAccount> {
    const account = await ActingAccount.open(await Engine.start(options));
    await account.round();
    return account;
  }

  /** Ends what `start` began. */
  async stop(): Promise<void> {
    this.client.close();
    await this.engine.stop();
  }

  /** Puts letters into a folder, and reads them. @returns their message ids */
  async deliver(folder: string, ...names: string[]): Promise<string[]> {
    for (const name of names) await this.client.append(folder, letter({ name }));
    await this.round();
    return Promise.all(names.map(async (name) => (await this.message(name))!.id));
  }

  /** Looks at all folders, until all old mail is read. */
  async round(meddling?: Meddling): Promise<void> {
    const between = (watch: Watch) => async () => {
      await this.engine.app.get(Syncback).run(watch, 'mail');
      return true;
    };
    await this.inSession((watch) => {
      const acting = meddling ? { ...watch, between: between(watch) } : watch;
      return this.engine.app.get(FolderRound).run(acting);
    }, meddling);
    await this.engine.backfill(this.id);
  }

  /** Does what is due. @returns when to come back */
  async act(meddling?: Meddling): Promise<number> {
    return this.inSession((watch) => this.engine.app.get(Syncback).run(watch), meddling);
  }

  /** What waits is due now. */
  async hurry(): Promise<void> {
    await this.engine.rows(`UPDATE actions SET retry_at = now() WHERE account_id = $1 AND retry_at IS NOT NULL`, [
      this.id,
    ]);
  }

  async inSession<T>(work: (watch: Watch) => Promise<T>, meddling: Meddling = () => ({})): Promise<T> {
    const claim = await this.engine.app.get(AccountState).claim(this.id);
    if (!claim) throw new Error('the account cannot be claimed');
    const source = new OneConnection(async () => {
      const driver = await this.engine.app.get(Connections).openMail(this.id);
      return meddled(driver, meddling(driver));
    });
    const account = { id: this.id, owner: 'ada@example.com', epoch: claim.epoch };
    try {
      const { signal } = new AbortController();
      const rounds = { roundAt: Infinity, arrivedAt: 0, main: null, settled: null };
      return await work({ account, source, signal, ...rounds });
    } finally {
      await source.discard();
    }
  }

  async message(subject: string) {
    const [row] = await this.engine.rows<{ id: string; unread: boolean; starred: boolean; folders: string[] }>(
      `SELECT id, unread, starred,
              (SELECT array_agg(path ORDER BY path) FROM categories WHERE categories.id = ANY(category_ids)) AS folders
       FROM messages WHERE account_id = $1 AND subject = $2`,
      [this.id, subject],
    );
    return row;
  }

  async folder(path: string): Promise<string> {
    const [row] = await this.engine.rows<{ id: string }>(
      'SELECT id FROM categories WHERE account_id = $1 AND path = $2',
      [this.id, path],
    );
    if (!row) throw new Error(`there is no folder ${path}`);
    return row.id;
  }

  /** Oldest first. */
  async jobs(): Promise<JobStatusView[]> {
    const statuses = new JobStatuses(this.engine.app.get(Reader));
    return (await statuses.list(this.ref, { limit: 100, offset: 0 })).toReversed();
  }

  async states(): Promise<string[]> {
    return (await this.jobs()).map(({ status }) => status);
  }

  /** Flags by subject, as another mail program sees them. */
  async seen(folder: string): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    const { exists } = await this.client.mailboxOpen(folder);
    if (exists > 0) {
      for await (const row of this.client.fetch('1:*', { envelope: true, flags: true })) {
        found[row.envelope?.subject ?? ''] = [...(row.flags ?? [])].filter((flag) => flag !== '\\Recent').toSorted();
      }
    }
    return found;
  }

  /** Another mail program's uid of a message. */
  async uid(folder: string, subject: string): Promise<string> {
    await this.client.mailboxOpen(folder);
    return ((await this.client.search({ subject }, { uid: true })) || []).join(',');
  }

  /** What `work` makes followers see of messages and folders. */
  async told(work: () => Promise<unknown>): Promise<string[]> {
    const [before] = await this.engine.rows<{ seq: string | null }>('SELECT max(seq) AS seq FROM changes');
    await work();
    const rows = await this.engine.rows<{ what: string }>(
      `SELECT event || ' ' || object_type AS what FROM changes
       WHERE account_id = $1 AND seq > $2 AND object_type NOT IN ('account', 'notice', 'job') ORDER BY seq`,
      [this.id, before?.seq ?? '0'],
    );
    return rows.map(({ what }) => what);
  }
}

function meddled(driver: MailDriver, instead: Partial<MailDriver>): MailDriver {
  return new Proxy(driver, {
    get: (target, key) => {
      const member: unknown = Reflect.get(key in instead ? instead : target, key);
      return typeof member === 'function' ? member.bind(key in instead ? instead : target) : member;
    },
  });
}
