import { Inject, Injectable } from '@nestjs/common';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { sha256 } from '#libs/common/hash.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { RemoteFolder } from '#libs/providers/contracts/mail-driver.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import { AccountState } from './account-state.js';
import { FolderVisits, isGivenUp, type Watch } from './folder-visits.js';
import { FolderStore, saveFolders, type StoredFolder } from './mail/folder-store.js';
import { type KnownFolder, planFolders, unidentified } from './mail/plan-folders.js';
import { deleteOrphans } from './mail/uid-changes.js';
import { hasFolderActions } from './syncback/action-store.js';

/** Without CONDSTORE, the flags of a whole folder are compared this often. */
const SWEEP_MS = 10 * 60_000;
/** Where something always comes, messages without a place are let go of after so long all the same. */
const RESTLESS_MS = 10 * 60_000;

/** One look at every folder of an account. */
@Injectable()
export class FolderRound {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: AccountWriter,
    private readonly folders: FolderStore,
    private readonly visits: FolderVisits,
    private readonly state: AccountState,
  ) {}

  /**
   * Visits every folder that changed, then lets go of messages that are in none.
   * @returns `quiet` when there was nothing to do the last time, and the server tells nothing else than then
   * @throws ProviderError, Superseded
   */
  async run(watch: Watch): Promise<'done' | 'quiet'> {
    const begun = Date.now();
    watch.roundAt = begun + this.config.SYNC_FOLDER_POLL_SECONDS * 1000;
    const remote = await this.listed(watch);
    const listing = sha256(JSON.stringify(remote));
    if (watch.settled?.listing === listing && begun < watch.settled.until) return 'quiet';
    // What happens from here on unsettles it.
    watch.settled = { listing, until: begun + SWEEP_MS };
    const { known, current } = await this.reconcile(watch, remote);
    const { condstore } = (await watch.source.get()).capabilities;
    let complete = current;
    const seen = new Set<string>();
    const due = async () => {
      const folders = await this.folders.list(watch.account.id);
      if (folders.some(({ pending }) => pending)) this.visits.unsettle(watch);
      return toVisit(folders, { known, remote, condstore }).filter(({ folder }) => !seen.has(folder.id));
    };
    for (let left = await due(); left.length > 0;) {
      const { folder, depth } = left.shift()!;
      seen.add(folder.id);
      if (watch.signal.aborted) return 'done';
      this.visits.unsettle(watch);
      const waiting = folder.retryAt !== null && folder.retryAt.getTime() > Date.now();
      const read = !waiting && (await this.visits.visit(watch, folder, depth));
      complete = complete && (read || isGivenUp(folder));
      if (await watch.between?.()) left = await due();
    }
    await this.letGo(watch, begun, complete);
    await this.state.recover(watch.account);
    return 'done';
  }

  /** Kin of Exchange answer LIST once a connection only, so what was refused is asked on a new one. */
  private async listed({ source }: Watch): Promise<RemoteFolder[]> {
    const driver = await source.get();
    try {
      return await driver.folders();
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.options.serverText) throw error;
      await source.discard();
      return (await source.get()).folders();
    }
  }

  /** @returns the folders there were before, and whether those of the listing are known now */
  private async reconcile(watch: Watch, remote: readonly RemoteFolder[]): Promise<Reconciled> {
    const known = await this.folders.list(watch.account.id);
    const plan = planFolders(known, await this.identified(watch, known, remote));
    if (plan.create.length + plan.change.length + plan.missing.length > 0) this.visits.unsettle(watch);
    const gone: KnownFolder[] = [];
    for (const folder of plan.missing) if (await this.visits.isGone(watch, folder)) gone.push(folder);
    if (plan.create.length + plan.change.length + gone.length === 0) return { known, current: true };
    if (gone.length > 0) watch.roundAt = Date.now() + 1;
    const current = await this.writer.write(
      watch.account.id,
      async (tx) => {
        // What users have done to folders is not undone before it is done: afterwards they are looked at again.
        if (await hasFolderActions(tx)) return false;
        await saveFolders(tx, plan, gone);
        return true;
      },
      { epoch: watch.account.epoch },
    );
    return { known, current };
  }

  /** Listings come without MAILBOXIDs: those that matter are asked for, at a round trip each. */
  private async identified(
    { source }: Watch,
    known: readonly KnownFolder[],
    remote: readonly RemoteFolder[],
  ): Promise<readonly RemoteFolder[]> {
    const driver = await source.get();
    const asked = driver.capabilities.objectId ? unidentified(known, remote) : [];
    const found = new Map<string, string | null>();
    for (const { path } of asked) found.set(path, await driver.mailboxId(path));
    return remote.map((folder) => ({ ...folder, mailboxId: found.get(folder.path) ?? folder.mailboxId }));
  }

  /**
   * Deletes messages that had no place before this round began, once every folder that can be read has been read to
   * its end since and nothing has come into any: what is moved from folder to folder while we go from one to the next
   * is seen in none of them.
   */
  private async letGo(watch: Watch, begun: number, complete: boolean): Promise<void> {
    const { id, epoch } = watch.account;
    const oldest = await this.state.oldestOrphan(id);
    if (oldest === null) return;
    this.visits.unsettle(watch);
    const graceMs = this.config.SYNC_ORPHAN_GRACE_SECONDS * 1000;
    const restless = watch.arrivedAt >= begun;
    const before = new Date(Math.min(restless ? begun - RESTLESS_MS : begun, Date.now() - graceMs));
    const folders = (await this.folders.list(id)).filter((folder) => !isGivenUp(folder));
    const pending = folders.some((folder) => folder.pending || folder.cursor === null);
    if (complete && !pending) {
      const some = () => this.writer.write(id, (tx) => deleteOrphans(tx, before), { epoch });
      for (let deleted = await some(); deleted > 0; deleted = await some());
    }
    watch.roundAt = Math.min(watch.roundAt, Math.max(Date.now() + 1000, oldest.getTime() + graceMs + 50));
  }
}

interface Reconciled {
  readonly known: readonly StoredFolder[];
  /** False: mail may lie in folders that nobody has read yet. */
  readonly current: boolean;
}

interface Listed {
  /** Our folders before the listing. */
  readonly known: readonly StoredFolder[];
  readonly remote: readonly RemoteFolder[];
  readonly condstore: boolean;
}

/**
 * Those in which something may have happened, and how to look at them. Where mail arrived comes first: what was moved
 * there is then seen to have left the others.
 */
function toVisit(
  folders: readonly StoredFolder[],
  { known, remote, condstore }: Listed,
): { readonly folder: StoredFolder; readonly depth: 'recent' | 'full' }[] {
  const settled = known.length > 0 && known.every((folder) => folder.cursor !== null && !folder.pending);
  const listed = new Map(remote.map((folder) => [folder.path, folder]));
  const grew = ({ cursor, path }: StoredFolder) => {
    const uidNext = listed.get(path)?.status?.uidNext ?? 0;
    return settled && uidNext > (cursor?.uidNext ?? 1);
  };
  const due = folders.flatMap((folder) => {
    const depth = folder.cursor === null && settled ? 'full' : depthOf(folder, listed.get(folder.path), condstore);
    return depth ? [{ folder, depth }] : [];
  });
  return due.toSorted((a, b) => Number(grew(b.folder)) - Number(grew(a.folder)));
}

/** How to look at a folder; null when nothing can have happened in it. */
function depthOf(folder: StoredFolder, remote: RemoteFolder | undefined, condstore: boolean): 'recent' | 'full' | null {
  const { cursor } = folder;
  if (cursor === null) return 'recent';
  // Backfill has just finished: what changed while it ran was held back, and is looked at once in full.
  if (!folder.pending && folder.sweptAt === null) return 'full';
  if (!condstore && !folder.pending && Date.now() - (folder.sweptAt?.getTime() ?? 0) > SWEEP_MS) return 'full';
  const { status } = remote ?? { status: null };
  const same =
    status !== null &&
    status.messages === cursor.messages &&
    status.uidNext === cursor.uidNext &&
    status.uidValidity === cursor.uidValidity &&
    status.highestModseq === cursor.modseq &&
    folder.failures === 0;
  return same ? null : 'recent';
}
