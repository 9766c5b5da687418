import { Inject, Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { RemoteFolder } from '#libs/providers/contracts/mail-driver.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';
import { JobQueue } from '#libs/queues/job-queue.js';

import { type AccountClaim, AccountState } from './account-state.js';
import { Connections } from './connections.js';
import { OneConnection } from './driver-source.js';
import { DriftCheck, type DriftProgress } from './mail/drift-check.js';
import { FolderPass, type SyncedAccount } from './mail/folder-pass.js';
import { FolderStore, saveFolders, type StoredFolder } from './mail/folder-store.js';
import { type KnownFolder, planFolders } from './mail/plan-folders.js';
import { deleteOrphans } from './mail/uid-changes.js';
import { backOffMs } from './policy.js';

/** Without CONDSTORE, the flags of a whole folder are compared this often. */
const SWEEP_MS = 10 * 60_000;

/** While other accounts are compared with their servers, this one asks again so often. */
const BUSY_MS = 2000;

/** A folder that failed so often in a row may stay unreadable for good: what lies in the others does not wait for it. */
const GIVEN_UP_AFTER = 3;
const isGivenUp = (folder: StoredFolder): boolean => folder.failures >= GIVEN_UP_AFTER;

interface Watch {
  readonly account: SyncedAccount;
  readonly source: OneConnection;
  readonly signal: AbortSignal;
  /** When all folders are looked at next. */
  roundAt: number;
  readonly drift: DriftProgress;
  /** When the comparison with the server goes on. */
  driftAt: number;
}

/** Holds one account: watches its inbox, looks at the other folders now and then, and keeps the store in step. */
@Injectable()
export class AccountSession {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: AccountWriter,
    private readonly connections: Connections,
    private readonly folders: FolderStore,
    private readonly pass: FolderPass,
    private readonly state: AccountState,
    private readonly queue: JobQueue,
    private readonly driftCheck: DriftCheck,
  ) {}

  /**
   * Runs until `until` (milliseconds) or until `signal` fires.
   * @throws ProviderError when the account cannot go on; Superseded when somebody else has taken it over
   */
  async run(claim: AccountClaim, signal: AbortSignal, until: number): Promise<void> {
    const source = new OneConnection(() => this.connections.openMail(claim.id));
    const account = { id: claim.id, owner: canonicalEmail(claim.emailAddress), epoch: claim.epoch };
    const drift = { since: claim.lostAt, comparison: null };
    const watch: Watch = { account, source, signal, roundAt: 0, drift, driftAt: Infinity };
    // After a crash or a stop, old mail waits for somebody to read on.
    if ((await this.folders.list(claim.id)).some((folder) => folder.pending)) await this.startBackfill(claim.id);
    try {
      while (!signal.aborted && Date.now() < until) {
        if (Date.now() >= watch.roundAt) await this.round(watch);
        else if (Date.now() >= watch.driftAt) await this.compare(watch);
        else await this.rest(watch, until);
      }
    } finally {
      this.driftCheck.end(drift);
      await source.discard();
    }
  }

  /** Waits on the inbox, and reads what came. */
  private async rest(watch: Watch, until: number): Promise<void> {
    const folders = await this.folders.list(watch.account.id);
    const main = folders[0];
    if (!main) throw new ProviderError('unavailable', 'The account has no folder that can be opened.');
    const driver = await watch.source.get();
    const wait = Math.max(0, Math.min(watch.roundAt, watch.driftAt, until) - Date.now());
    if ((await driver.waitForChange(main.path, wait, watch.signal)) === 'quiet') return;
    // Read again: backfill may have finished meanwhile.
    const fresh = (await this.folders.list(watch.account.id)).find((folder) => folder.id === main.id);
    if (fresh && !watch.signal.aborted) await this.visit(watch, fresh, 'recent');
  }

  /** Looks at every folder that changed, then lets go of messages that are in none. */
  private async round(watch: Watch): Promise<void> {
    const begun = Date.now();
    watch.roundAt = begun + this.config.SYNC_FOLDER_POLL_SECONDS * 1000;
    const driver = await watch.source.get();
    const remote = await driver.folders();
    await this.reconcile(watch, remote);
    const status = new Map(remote.map((folder) => [folder.path, folder]));
    let complete = true;
    for (const folder of await this.folders.list(watch.account.id)) {
      if (watch.signal.aborted) return;
      const depth = this.depth(folder, status.get(folder.path), driver.capabilities.condstore);
      if (depth === null) continue;
      const waiting = folder.retryAt !== null && folder.retryAt.getTime() > Date.now();
      const read = !waiting && (await this.visit(watch, folder, depth));
      complete = complete && (read || isGivenUp(folder));
    }
    await this.letGo(watch, begun, complete);
    await this.state.recover(watch.account);
    watch.driftAt = Math.min(watch.driftAt, Date.now());
  }

  /** A slice of the comparison with the server, then a pause nine times as long: it is never in a hurry. */
  private async compare(watch: Watch): Promise<void> {
    const begun = Date.now();
    const outcome = await this.driftCheck.slice({
      account: watch.account,
      source: watch.source,
      progress: watch.drift,
      visit: (folder, depth) => this.visit(watch, folder, depth),
    });
    const now = Date.now();
    if (outcome === 'done') watch.driftAt = Infinity;
    else if (outcome === 'busy') watch.driftAt = now + BUSY_MS * (0.5 + Math.random());
    else watch.driftAt = now + 9 * (now - begun);
  }

  /** How to look at a folder; null when nothing can have happened in it. */
  private depth(folder: StoredFolder, remote: RemoteFolder | undefined, condstore: boolean): 'recent' | 'full' | null {
    if (folder.cursor === null) return 'recent';
    // Backfill has just finished: what changed while it ran was held back, and is looked at once in full.
    if (!folder.pending && folder.sweptAt === null) return 'full';
    if (!condstore && !folder.pending && Date.now() - (folder.sweptAt?.getTime() ?? 0) > SWEEP_MS) return 'full';
    const { status } = remote ?? { status: null };
    const { cursor } = folder;
    const same =
      status !== null &&
      status.messages === cursor.messages &&
      status.uidNext === cursor.uidNext &&
      status.uidValidity === cursor.uidValidity &&
      status.highestModseq === cursor.modseq &&
      folder.failures === 0;
    return same ? null : 'recent';
  }

  /** @returns false when the folder could not be read; it is tried again later */
  private async visit(watch: Watch, folder: StoredFolder, depth: 'recent' | 'full'): Promise<boolean> {
    const { account, source } = watch;
    try {
      const outcome = await this.pass.run(account, folder, source, depth);
      // Messages that left one folder are looked for in the others at once: a move is not a deletion.
      if (outcome.dropped) watch.roundAt = Math.min(watch.roundAt, Date.now());
      if (outcome.backfill) await this.startBackfill(account.id);
      return true;
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      if (error.kind === 'hostile') await source.discard();
      const retryAt = new Date(Date.now() + backOffMs(folder.failures + 3));
      await this.folders.markFailing(account.id, folder.id, error.message, retryAt);
      if (error.kind === 'not-found' && isGivenUp(folder)) await this.forgetIfGone(watch, folder);
      return false;
    }
  }

  /** Some servers list a deleted folder for the sake of those below it. An inbox that is not found is a broken server. */
  private async forgetIfGone(watch: Watch, folder: StoredFolder): Promise<void> {
    if (folder.cursor === null || folder.role === 'inbox' || !(await this.isGone(watch, folder))) return;
    await this.pass.forget(watch.account, folder);
  }

  private async startBackfill(accountId: string): Promise<void> {
    await this.queue.add('account.backfill', { accountId, lane: 0 });
    await this.queue.add('account.backfill', { accountId, lane: 1 });
  }

  private async reconcile(watch: Watch, remote: readonly RemoteFolder[]): Promise<void> {
    const known = await this.folders.list(watch.account.id);
    const plan = planFolders(known, remote);
    const gone: KnownFolder[] = [];
    for (const folder of plan.missing) if (await this.isGone(watch, folder)) gone.push(folder);
    if (plan.create.length + plan.change.length + gone.length === 0) return;
    if (gone.length > 0) watch.roundAt = Date.now() + 1;
    await this.writer.write(watch.account.id, (tx) => saveFolders(tx, plan, gone), { epoch: watch.account.epoch });
  }

  /** A folder that a listing lacks, or that failed again and again, is gone when the server refuses to open it. */
  private async isGone(watch: Watch, folder: KnownFolder): Promise<boolean> {
    const driver = await watch.source.get();
    try {
      await driver.newest(folder.path, 0);
      return false;
    } catch (error) {
      if (error instanceof ProviderError && error.kind === 'not-found') return true;
      throw error;
    }
  }

  /**
   * Deletes messages that had no place before this round began, once every folder that can be read has been read to
   * its end since.
   */
  private async letGo(watch: Watch, begun: number, complete: boolean): Promise<void> {
    const { id, epoch } = watch.account;
    const oldest = await this.state.oldestOrphan(id);
    if (oldest === null) return;
    const graceMs = this.config.SYNC_ORPHAN_GRACE_SECONDS * 1000;
    const before = new Date(Math.min(begun, Date.now() - graceMs));
    const folders = (await this.folders.list(id)).filter((folder) => !isGivenUp(folder));
    const pending = folders.some((folder) => folder.pending || folder.cursor === null);
    if (complete && !pending) {
      const some = () => this.writer.write(id, (tx) => deleteOrphans(tx, before), { epoch });
      for (let deleted = await some(); deleted > 0; deleted = await some());
    }
    watch.roundAt = Math.min(watch.roundAt, Math.max(Date.now() + 1000, oldest.getTime() + graceMs + 50));
  }
}
