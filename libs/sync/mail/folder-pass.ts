import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import type { FolderCursor } from '#libs/providers/contracts/mail-driver.js';
import { AccountLog } from '#libs/sync/account-log.js';

import { type Departed, Departures } from './departures.js';
import { addRanges, FolderStore, saveCursor, type StoredFolder } from './folder-store.js';
import { CopyStored } from './ingest.js';
import { collectFacts, type FolderFacts, type FolderPlan, planFolder } from './plan-folder.js';
import { readCopies } from './read-copies.js';
import type { DriverSource, ReadOutcome } from './read-messages.js';
import { storeBatch } from './store-batch.js';
import { applyFlags, dropAllUids, dropUids, dropVoidUids, voidUids } from './uid-changes.js';

/** So many of a mailbox's newest messages are there before its long history is even counted. */
const FIRST_MESSAGES = 50;
const READ_BATCH = 100;
const FLAG_BATCH = 500;
/** New mail is looked for under so many uids before anything else is asked. */
const ARRIVALS = 20;

/** `arrived`: as `recent`, and there is new mail in the folder, which the connection has open. */
export type PassDepth = 'arrived' | 'recent' | 'full';

/** The account whose session runs, as its passes need it. */
export interface SyncedAccount {
  readonly id: string;
  /** Canonical address. */
  readonly owner: string;
  readonly epoch: number;
}

export interface PassOutcome {
  /** Old mail was queued that backfill has to read. */
  readonly backfill: boolean;
  /** Messages left the folder; they may turn up in another. */
  readonly dropped: boolean;
  /** Something came since the last look, though it may have left again. */
  readonly arrived: boolean;
}

/** Messages from `uidNext` on have just arrived. */
interface Arrivals {
  readonly uidNext: number | null;
  /** Folders that were looked at for copies that left. */
  readonly looked: Set<string>;
}

/** Brings one folder up to date, in steps that each leave the store true to what was read so far. */
@Injectable()
export class FolderPass {
  constructor(
    private readonly writer: AccountWriter,
    private readonly store: FolderStore,
    private readonly departures: Departures,
    private readonly log: AccountLog,
  ) {}

  /**
   * Reads what happened since the folder's cursor; on the first visit the newest mail, leaving the rest to backfill.
   * `full` is for folders that appear when the others have been read: what is in them may have been moved there.
   * @throws ProviderError; what was stored before it stays, and the next pass goes on from there
   */
  async run(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    asked: PassDepth,
  ): Promise<PassOutcome> {
    const depth = asked === 'full' ? 'full' : 'recent';
    if (folder.cursor === null) return this.begin(account, folder, source, { reset: false, depth });
    // Folders that were looked at for copies that left have to be read in full.
    const looked = new Set<string>();
    if (asked === 'arrived') await this.readArrivals(account, folder, source, looked);
    const driver = await source.get();
    const facts = await collectFacts(driver.changes(folder.path, folder.cursor, depth));
    if (facts.reset) {
      await this.log.add(account.id, {
        level: 'warn',
        kind: 'folder.reset',
        message: `The server renumbered folder ${folder.displayName}; its messages are matched again.`,
        details: { folderId: folder.id },
      });
      return this.begin(account, folder, source, { reset: true, depth });
    }
    const dropped = await this.apply(account, folder, source, facts, { depth, looked });
    const arrived = facts.cursor.uidNext !== folder.cursor.uidNext;
    return { backfill: false, dropped: dropped || looked.size > 0, arrived };
  }

  /**
   * Somebody waits for new mail, so it is read before the server is asked what else happened. What this finds the pass
   * that follows will know; what it does not find, that pass will. That nothing is under a uid means nothing here.
   */
  private async readArrivals(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    looked: Set<string>,
  ): Promise<void> {
    const uidNext = folder.cursor?.uidNext ?? null;
    if (uidNext === null) return;
    const uids = Array.from({ length: ARRIVALS }, (_, n) => uidNext + n);
    const { messages, unreadable } = await readCopies(source, folder, uids);
    await this.keep(account, folder, source, { messages, unreadable, absent: [] }, { uidNext, looked });
  }

  /** First visit, or every uid is void: newest mail now, ranges for the rest, cursor; then backfill takes over. */
  private async begin(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    { reset, depth }: { readonly reset: boolean; readonly depth: 'recent' | 'full' },
  ): Promise<PassOutcome> {
    const driver = await source.get();
    const late = depth === 'full' && !reset;
    // The snapshot comes before anything is read: what arrives meanwhile is then seen by the next pass.
    const { cursor, uids: newest } = await driver.newest(
      folder.path,
      folder.role === 'inbox' || late ? FIRST_MESSAGES : 0,
    );
    if (reset) await this.startOver(account, folder, voidUids);
    const looked = new Set<string>();
    const arrivals = late ? { uidNext: null, looked } : null;
    if (newest.length > 0) await this.read(account, folder, source, newest, arrivals);
    const all = cursor.messages > newest.length ? await (await source.get()).uids(folder.path) : [];
    const held = new Set(newest);
    const rest = all.filter((uid) => !held.has(uid) && (cursor.uidNext === null || uid < cursor.uidNext));
    const dropped = await this.writer.write(
      account.id,
      async (tx) => {
        await addRanges(tx, folder, cursor.uidValidity, rest);
        await saveCursor(tx, folder.id, cursor, { swept: true, compared: cursor.messages === 0 });
        return rest.length === 0 && (await dropVoidUids(tx, folder.id));
      },
      { epoch: account.epoch },
    );
    return { backfill: rest.length > 0, dropped: dropped || looked.size > 0, arrived: true };
  }

  /** The folder is gone. Its messages are orphans unless they lie in another. */
  async forget(account: SyncedAccount, folder: StoredFolder): Promise<void> {
    await this.startOver(account, folder, dropAllUids);
  }

  private async startOver(
    account: SyncedAccount,
    folder: StoredFolder,
    release: (tx: Tx, folderId: string) => Promise<void>,
  ): Promise<void> {
    await this.writer.write(
      account.id,
      async (tx) => {
        await release(tx, folder.id);
        for (const table of ['backfill_ranges', 'poison_uids']) {
          await tx.query(`DELETE FROM ${table} WHERE account_id = $1 AND folder_id = $2`, [account.id, folder.id]);
        }
        await tx.query('UPDATE folder_syncs SET cursor = NULL WHERE account_id = $1 AND folder_id = $2', [
          account.id,
          folder.id,
        ]);
      },
      { epoch: account.epoch },
    );
  }

  private async apply(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    facts: FolderFacts,
    { depth, looked }: { readonly depth: 'recent' | 'full'; readonly looked: Set<string> },
  ): Promise<boolean> {
    const named = facts.listing ? null : [...facts.present.keys(), ...facts.vanished];
    const [known, pending, poisoned] = await Promise.all([
      named?.length === 0 ? new Map<number, string[]>() : this.store.uids(account.id, folder.id, named),
      folder.pending ? this.store.pendingRanges(account.id, folder.id) : [],
      this.store.poisoned(account.id, folder.id),
    ]);
    const plan = planFolder(facts, known, pending);
    const fetch = plan.fetch.filter((uid) => !poisoned.has(uid));
    const uidNext = folder.cursor?.uidNext ?? null;
    await this.read(account, folder, source, fetch, { uidNext, looked });
    await this.reflag(account, folder, plan);
    const cursor = pending.length > 0 ? heldBack(facts.cursor, folder.cursor) : facts.cursor;
    if (plan.drop.length === 0 && sameCursor(cursor, folder.cursor) && folder.failures === 0 && depth === 'recent') {
      return false;
    }
    const swept = depth === 'full' && pending.length === 0;
    return this.writer.write(
      account.id,
      async (tx) => {
        await dropUids(tx, folder.id, plan.drop);
        const found = swept && (await dropVoidUids(tx, folder.id));
        // Where the server keeps no modseqs a sweep looks at every message, and so is a comparison.
        await saveCursor(tx, folder.id, cursor, { swept, compared: swept && cursor.modseq === null });
        return found || plan.drop.length > 0;
      },
      { epoch: account.epoch },
    );
  }

  /** Does what was planned from something else than the folder's changes; the cursor stays where it is. */
  async carryOut(account: SyncedAccount, folder: StoredFolder, source: DriverSource, plan: FolderPlan): Promise<void> {
    await this.read(account, folder, source, plan.fetch, null);
    await this.reflag(account, folder, plan);
    if (plan.drop.length === 0) return;
    await this.writer.write(account.id, (tx) => dropUids(tx, folder.id, plan.drop), { epoch: account.epoch });
  }

  private async reflag(account: SyncedAccount, folder: StoredFolder, plan: FolderPlan): Promise<void> {
    for (let at = 0; at < plan.reflag.length; at += FLAG_BATCH) {
      const changes = plan.reflag.slice(at, at + FLAG_BATCH);
      await this.writer.write(account.id, (tx) => applyFlags(tx, folder.id, changes), { epoch: account.epoch });
    }
  }

  /** @param arrivals null when all of it is old mail */
  private async read(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    uids: readonly number[],
    arrivals: Arrivals | null,
  ): Promise<void> {
    for (let at = 0; at < uids.length; at += READ_BATCH) {
      const outcome = await readCopies(source, folder, uids.slice(at, at + READ_BATCH));
      await this.keep(account, folder, source, outcome, arrivals);
    }
  }

  private async keep(
    account: SyncedAccount,
    folder: StoredFolder,
    source: DriverSource,
    outcome: ReadOutcome,
    arrivals: Arrivals | null,
  ): Promise<void> {
    const target = { accountId: account.id, folder, owner: account.owner, uidNext: arrivals?.uidNext ?? null };
    const store = (stopAtCopies: boolean, departed: readonly Departed[]) =>
      storeBatch(this.writer, { ...target, stopAtCopies }, outcome, (tx) => untie(tx, departed), {
        epoch: account.epoch,
      });
    try {
      await store(arrivals !== null, []);
    } catch (error) {
      if (!(error instanceof CopyStored) || !arrivals) throw error;
      await store(false, await this.departures.find(account.id, folder.id, source, outcome.messages, arrivals.looked));
    }
  }
}

async function untie(tx: Tx, departed: readonly Departed[]): Promise<void> {
  for (const { folderId, uids, voids } of departed) {
    await dropUids(tx, folderId, uids);
    if (voids) await dropVoidUids(tx, folderId);
  }
}

/**
 * While old mail is still being read, flag changes and expunges of it are not ours to apply yet: the modseq stays
 * where it was, so that the first pass after backfill sees them again.
 */
function heldBack(now: FolderCursor, before: FolderCursor | null): FolderCursor {
  return { ...now, modseq: before?.modseq ?? now.modseq };
}

function sameCursor(one: FolderCursor, other: FolderCursor | null): boolean {
  return (
    other !== null &&
    one.uidValidity === other.uidValidity &&
    one.modseq === other.modseq &&
    one.uidNext === other.uidNext &&
    one.messages === other.messages &&
    one.mailboxId === other.mailboxId
  );
}
