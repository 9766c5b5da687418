import { Injectable } from '@nestjs/common';

import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';
import { AccountLog } from '#libs/sync/account-log.js';

import { agreed, digestOf, isEmpty, type Places } from './compare-places.js';
import { DriftStore } from './drift-store.js';
import { FolderPass, type SyncedAccount } from './folder-pass.js';
import { FolderStore, type StoredFolder } from './folder-store.js';
import { type FolderPlan, planFolder } from './plan-folder.js';
import type { DriverSource } from './read-messages.js';

/** Messages whose flags are asked for at a time. */
const CHUNK = 2000;
/** After this long the session attends to its inbox again. */
const SLICE_MS = 150;
/** Folders that a process compares at the same time: each costs memory for its uids. */
const MAX_AT_ONCE = 4;

const MAX_UID = 4_294_967_295;

/** A folder in the middle of its comparison. */
interface Comparison {
  readonly folderId: string;
  readonly uidValidity: string;
  /** Everything below has been compared. */
  low: number;
  /** What is left of the folder. */
  uids: Uint32Array;
}

/** How one session is getting on with comparing its account. */
export interface DriftProgress {
  /** When the account was found again after a break: what was compared before has to be compared again. */
  readonly since: Date | null;
  comparison: Comparison | null;
}

export interface DriftContext {
  readonly account: SyncedAccount;
  readonly source: DriverSource;
  readonly progress: DriftProgress;
  /** An ordinary pass over the folder. @returns false when it failed */
  readonly visit: (folder: StoredFolder, depth: 'recent' | 'full') => Promise<boolean>;
}

/** `busy`: other accounts are being compared. `more`: to be continued soon. `done`: nothing is due. */
export type DriftOutcome = 'busy' | 'more' | 'done';

/**
 * Holds the store against the server, folder by folder and message by message, in slices that do not keep a session
 * from its inbox. Passes follow what servers tell; this finds what they did not tell, and what we lost.
 */
@Injectable()
export class DriftCheck {
  private atOnce = 0;
  /** Folders whose last comparison failed: a server that cannot list one must not cost the account its session. */
  private readonly failed = new Set<string>();

  constructor(
    private readonly store: DriftStore,
    private readonly folders: FolderStore,
    private readonly pass: FolderPass,
    private readonly log: AccountLog,
  ) {}

  /** Goes on for a moment. @throws ProviderError */
  async slice(context: DriftContext): Promise<DriftOutcome> {
    const { account, progress } = context;
    if (!progress.comparison) {
      if (this.atOnce >= MAX_AT_ONCE) return 'busy';
      if (await this.retryPoison(context)) return 'more';
      const folder = await this.nextFolder(account, progress);
      if (!folder) return 'done';
      await this.attempt(context, folder, () => this.begin(context, folder));
      return 'more';
    }
    const { folderId } = progress.comparison;
    const folder = await this.folder(account, folderId);
    if (!folder || folder.pending || folder.cursor?.uidValidity !== progress.comparison.uidValidity) this.end(progress);
    else await this.attempt(context, folder, () => this.advance(context, folder, Date.now() + SLICE_MS));
    return 'more';
  }

  /** After `done`: how long nothing will be due by itself, in milliseconds. */
  async restsFor({ id }: SyncedAccount): Promise<number> {
    return (await this.store.nextIn(id)) ?? Infinity;
  }

  /** Lets go of a comparison that will not be continued. */
  end(progress: DriftProgress): void {
    if (progress.comparison) this.atOnce -= 1;
    progress.comparison = null;
  }

  private async folder(account: SyncedAccount, id: string): Promise<StoredFolder | undefined> {
    return (await this.folders.list(account.id)).find((folder) => folder.id === id);
  }

  private async nextFolder(account: SyncedAccount, progress: DriftProgress): Promise<StoredFolder | undefined> {
    const due = await this.store.due(account.id, progress.since);
    return due === null ? undefined : this.folder(account, due);
  }

  /** A failure of the folder, or the second in a row: it is left alone until it is due again. Else the session's. */
  private async attempt(context: DriftContext, folder: StoredFolder, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.end(context.progress);
      if (!(error instanceof ProviderError)) throw error;
      if (!folderKinds.has(error.kind) && !this.failed.has(folder.id)) {
        this.failed.add(folder.id);
        throw error;
      }
      this.failed.delete(folder.id);
      await context.source.discard();
      await this.log.add(context.account.id, {
        level: 'warn',
        kind: 'folder.unchecked',
        message: `Folder ${folder.displayName} could not be compared with the mail server: ${error.message}`,
        details: { folderId: folder.id },
      });
      await this.store.noteChecked(context.account, folder.id);
    }
  }

  private async retryPoison({ account, source }: DriftContext): Promise<boolean> {
    const rested = await this.store.rested(account.id);
    const folder = rested && (await this.folder(account, rested.folderId));
    if (!folder) return false;
    await this.pass.carryOut(account, folder, source, { fetch: rested.uids, reflag: [], drop: [] });
    await this.store.forgetTried(account, rested);
    return true;
  }

  private async begin({ account, source, progress, visit }: DriftContext, folder: StoredFolder): Promise<void> {
    // Without modseqs a pass in full looks at every message as it is.
    const sweeps = folder.cursor!.modseq === null;
    if (!(await visit(folder, sweeps ? 'full' : 'recent')) || sweeps) return;
    const driver = await source.get();
    const { cursor } = await driver.newest(folder.path, 0);
    const known = (await this.folder(account, folder.id))?.cursor;
    if (known?.uidValidity !== cursor.uidValidity) return;
    const uids = cursor.messages > 0 ? await driver.uids(folder.path) : [];
    this.atOnce += 1;
    progress.comparison = {
      folderId: folder.id,
      uidValidity: cursor.uidValidity,
      low: 1,
      uids: Uint32Array.from(uids),
    };
  }

  private async advance(context: DriftContext, folder: StoredFolder, until: number): Promise<void> {
    const { progress, account } = context;
    const comparison = progress.comparison!;
    do {
      const chunk = comparison.uids.subarray(0, CHUNK);
      const last = chunk.length === comparison.uids.length;
      const high = last ? MAX_UID : chunk.at(-1)!;
      await this.compare(context, folder, chunk, high);
      comparison.low = high + 1;
      comparison.uids = comparison.uids.subarray(chunk.length);
      if (last) {
        await this.store.noteChecked(account, folder.id);
        this.failed.delete(folder.id);
        return this.end(progress);
      }
    } while (Date.now() < until);
  }

  private async compare(context: DriftContext, folder: StoredFolder, listed: Uint32Array, high: number): Promise<void> {
    const { account, source, visit } = context;
    const { low } = context.progress.comparison!;
    const theirs = await this.read(source, folder, listed, high, low);
    if ((await this.store.digest(account.id, folder.id, low, high)) === digestOf(theirs)) return;
    const found = await this.differences(account, folder, { listed, theirs, low, high });
    if (isEmpty(found)) return;
    // What happened a moment ago is no drift: a pass tells of it. What differs still, does.
    if (!(await visit(folder, 'recent'))) return;
    const driver = await source.get();
    const { cursor } = await driver.newest(folder.path, 0);
    if (cursor.uidValidity !== context.progress.comparison!.uidValidity) return;
    const again = (cursor.messages > 0 ? await driver.uids(folder.path) : []).filter(
      (uid) => uid >= low && uid <= high,
    );
    const flags = await this.read(source, folder, again, high, low);
    const confirmed = await this.differences(account, folder, { listed: again, theirs: flags, low, high });
    await this.repair(context, folder, agreed(found, confirmed));
  }

  private async read(
    source: DriverSource,
    folder: StoredFolder,
    listed: ArrayLike<number>,
    high: number,
    low: number,
  ): Promise<Places> {
    const places = new Map<number, readonly string[]>();
    if (listed.length === 0) return places;
    const driver = await source.get();
    for await (const { uid, flags } of driver.flags(folder.path, low, high)) places.set(uid, flags);
    return places;
  }

  private async differences(
    account: SyncedAccount,
    folder: StoredFolder,
    range: { listed: ArrayLike<number>; theirs: Places; low: number; high: number },
  ): Promise<FolderPlan> {
    const facts = {
      reset: false,
      present: range.theirs,
      vanished: new Set<number>(),
      listing: new Set(Array.from(range.listed)),
      cursor: folder.cursor!,
    };
    const plan = planFolder(facts, await this.store.places(account.id, folder.id, range.low, range.high), []);
    const resting = await this.folders.poisoned(account.id, folder.id);
    return { ...plan, fetch: plan.fetch.filter((uid) => !resting.has(uid)) };
  }

  private async repair({ account, source }: DriftContext, folder: StoredFolder, plan: FolderPlan): Promise<void> {
    if (isEmpty(plan)) return;
    await this.pass.carryOut(account, folder, source, plan);
    await this.store.noteRepaired(account, folder, {
      added: await this.store.held(account.id, folder.id, plan.fetch),
      reflagged: plan.reflag.length,
      removed: plan.drop.length,
    });
  }
}
