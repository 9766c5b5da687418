import { Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { ChangeBell } from '#libs/changes/change-bell.js';
import { endsConnection, folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';
import { JobQueue } from '#libs/queues/job-queue.js';

import type { OneConnection } from './driver-source.js';
import { FolderPass, type PassDepth, type SyncedAccount } from './mail/folder-pass.js';
import { saveFailure, type StoredFolder } from './mail/folder-store.js';
import type { KnownFolder } from './mail/plan-folders.js';
import { backOffMs } from './policy.js';

/** A folder that failed so often in a row may stay unreadable for good: what lies in the others does not wait for it. */
const GIVEN_UP_AFTER = 3;

/** An account whose session runs. */
export interface Watch {
  readonly account: SyncedAccount;
  readonly source: OneConnection;
  readonly signal: AbortSignal;
  /** When all folders are looked at next. */
  roundAt: number;
  /** When something was last found to have come into a folder. */
  arrivedAt: number;
  /** What is not to wait for a long round is done between its folders. @returns whether anything was */
  readonly between?: () => Promise<boolean>;
  /** The folder that is watched, as stored; null when it has to be read again. */
  main: StoredFolder | null;
  settled: Settled | null;
}

/** A round found nothing to do in the store: the next one will not either, unless the server tells something else. */
export interface Settled {
  /** What the server told. */
  readonly listing: string;
  /** Milliseconds: nothing is due before. */
  readonly until: number;
}

export const isGivenUp = (folder: StoredFolder): boolean => folder.failures >= GIVEN_UP_AFTER;

/** Passes over single folders, and what follows from how they went. */
@Injectable()
export class FolderVisits {
  constructor(
    private readonly writer: AccountWriter,
    private readonly pass: FolderPass,
    private readonly queue: JobQueue,
    private readonly bell: ChangeBell,
  ) {}

  /** The API and other processes write to the account, too, though never how far a folder was read. @returns what ends it */
  heedOthers(watch: Watch): () => void {
    return this.bell.listen(watch.account.id, () => {
      watch.settled = null;
    });
  }

  /** To be called whenever the store may hold something new for rounds to do. */
  unsettle(watch: Watch): void {
    watch.main = null;
    watch.settled = null;
  }

  /** @returns false when the folder could not be read; it is tried again later */
  async visit(watch: Watch, folder: StoredFolder, depth: PassDepth): Promise<boolean> {
    const { account, source } = watch;
    this.unsettle(watch);
    try {
      const outcome = await this.pass.run(account, folder, source, depth);
      // Messages that left one folder are looked for in the others at once: a move is not a deletion.
      if (outcome.dropped) watch.roundAt = Math.min(watch.roundAt, Date.now());
      if (outcome.arrived) watch.arrivedAt = Date.now();
      if (outcome.backfill) await this.startBackfill(account.id);
      return true;
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      if (endsConnection(error)) await source.discard();
      const retryAt = new Date(Date.now() + backOffMs(folder.failures + 3));
      const { id, epoch } = account;
      await this.writer.write(id, (tx) => saveFailure(tx, folder.id, error.message, retryAt), { epoch });
      if (error.kind === 'not-found' && isGivenUp(folder)) await this.forgetIfGone(watch, folder);
      return false;
    }
  }

  /** What was forgotten here, though it is there. */
  async readAgain(watch: Watch, folder: StoredFolder, uids: readonly number[]): Promise<void> {
    if (uids.length === 0) return;
    this.unsettle(watch);
    await this.pass.carryOut(watch.account, folder, watch.source, { fetch: [...uids], reflag: [], drop: [] });
  }

  /** A folder that a listing lacks, or that failed again and again, is gone when the server refuses to open it. */
  async isGone({ source }: Watch, folder: KnownFolder): Promise<boolean> {
    const driver = await source.get();
    try {
      await driver.newest(folder.path, 0);
      return false;
    } catch (error) {
      if (error instanceof ProviderError && error.kind === 'not-found') return true;
      if (!(error instanceof ProviderError) || error.kind !== 'folder-unavailable') throw error;
      if (endsConnection(error)) await source.discard();
      return false;
    }
  }

  async startBackfill(accountId: string): Promise<void> {
    await this.queue.add('account.backfill', { accountId, lane: 0 });
    await this.queue.add('account.backfill', { accountId, lane: 1 });
  }

  /** Some servers list a deleted folder for the sake of those below it. An inbox that is not found is a broken server. */
  private async forgetIfGone(watch: Watch, folder: StoredFolder): Promise<void> {
    if (folder.role === 'inbox' || !(await this.isGone(watch, folder))) return;
    await this.pass.forget(watch.account, folder);
  }
}
