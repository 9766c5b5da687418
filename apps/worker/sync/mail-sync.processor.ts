import { setTimeout as sleep } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { Superseded } from '#libs/changes/account-writer.js';
import { NotFound } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';
import { isDatabaseOutage } from '#libs/database/outage.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import type { JobPayload } from '#libs/queues/jobs.js';
import { AccountSession } from '#libs/sync/account-session.js';
import { type AccountClaim, AccountState } from '#libs/sync/account-state.js';
import { Crew } from '#libs/sync/crew.js';
import { surplus } from '#libs/sync/fair-share.js';

import { BackfillProcessor } from './backfill.processor.js';

/** A session's turn, give or take a quarter: afterwards any worker may take the account on. */
const TURN_MS = 30 * 60_000;
/** A session that lived this long has proved its connection; failures before it are forgotten. */
const PROOF_MS = 60_000;
/** Until an account is tried again that failed because our database was away. */
const OUTAGE_MS = 2000;
/** How often held accounts are compared with what their owners want, and our share with the others'. */
const RENEW_MS = 2000;
/** So many are compared at a time, or a quarter: who has not been seen for 20 s counts as left alone. */
const LEAST_COMPARED = 500;
/** A worker that has its share gives others this long to take an account. */
const PASS_ON_MS = 500;

/** Longer than a job takes to go from a worker that died to another, mostly. */
const ASTRAY_SECONDS = 30;
/** A session that was superseded ends with the command that it waits for; nobody waits longer than this for it. */
const LAST_COMMAND_MS = 10_000;
/** Accounts that are adopted at a time. */
const MOST_ADOPTED = 100;

interface Held {
  readonly epoch: number;
  readonly stop: AbortController;
  /** It was told to end. */
  leaving: boolean;
  /** Another worker is to go on with it. */
  handOver: boolean;
  /** Kept when the session has done its last thing; never broken. */
  ended: Promise<unknown>;
}

/** Runs the sessions of this process. */
@Injectable()
export class MailSyncProcessor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly held = new Map<string, Held>();
  private readonly running = new Set<Promise<void>>();
  /** Accounts that are being claimed. */
  private claiming = 0;
  private stopping = false;
  /** How many of the held accounts were compared in this turn. */
  private compared = 0;
  private renewing: NodeJS.Timeout | null = null;

  constructor(
    private readonly crew: Crew,
    private readonly session: AccountSession,
    private readonly state: AccountState,
    private readonly queue: JobQueue,
    private readonly backfill: BackfillProcessor,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.crew.report(0);
    this.renewing = setInterval(() => void this.renew(), RENEW_MS);
  }

  async watch({ accountId }: JobPayload<'account.watch'>): Promise<void> {
    const turn = this.takeTurn(accountId);
    this.running.add(turn);
    await turn.finally(() => this.running.delete(turn));
  }

  /** Takes on accounts that have been left alone for so long that their jobs must have gone astray. */
  async adopt(): Promise<void> {
    const room = this.crew.share - this.held.size - this.claiming;
    if (this.stopping || room <= 0) return;
    for (const accountId of await this.state.adopt(ASTRAY_SECONDS, Math.min(room, MOST_ADOPTED))) {
      this.logger.warn({ accountId }, 'an account was left alone, and is taken on without a job');
      this.watch({ accountId }).catch((error: unknown) => this.logger.error({ err: error, accountId }, 'not taken on'));
    }
  }

  /** While queues are still open: where there are other workers, they go on with our accounts at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    if (this.renewing) clearInterval(this.renewing);
    await this.crew.leave().catch((error: unknown) => this.logger.warn({ err: error }, 'could not sign off'));
    for (const held of this.held.values()) this.end(held, this.crew.company);
    await Promise.allSettled(this.running);
  }

  private async takeTurn(accountId: string): Promise<void> {
    if (this.stopping || this.held.size + this.claiming >= this.crew.share) {
      if (this.crew.company) await this.queue.continue('account.watch', { accountId }, PASS_ON_MS);
      return;
    }
    const claim = await this.claim(accountId);
    if (!claim) return;
    if (claim.unread) this.backfill.warm();
    const stop = new AbortController();
    const held: Held = { epoch: claim.epoch, stop, leaving: false, handOver: false, ended: Promise.resolve() };
    // An older session of this process, superseded by this claim, would otherwise idle on unseen.
    const older = this.held.get(accountId);
    if (older) this.end(older, older.handOver);
    this.held.set(accountId, held);
    // The stop looked for sessions to end while this one was being claimed.
    if (this.stopping) this.end(held, this.crew.company);
    // What it is about to do at the provider, the next one would find undone and do again.
    const turn = lastCommand(older).then(() => this.hold(claim, held));
    held.ended = turn.catch(() => undefined);
    const wait = await turn.finally(() => {
      if (this.held.get(accountId) === held) this.held.delete(accountId);
    });
    if (wait !== null) await this.queue.continue('account.watch', { accountId }, wait);
  }

  private async claim(accountId: string): Promise<AccountClaim | null> {
    this.claiming += 1;
    try {
      return await this.state.claim(accountId);
    } finally {
      this.claiming -= 1;
    }
  }

  /** @returns milliseconds until the account's next turn; null when somebody else starts it, or nobody should */
  private async hold(claim: AccountClaim, held: Held): Promise<number | null> {
    const { signal } = held.stop;
    const ended = (): number | null => (held.handOver ? 0 : null);
    const begun = Date.now();
    const log = this.logger.child({ accountId: claim.id, epoch: claim.epoch });
    const proof = setTimeout(
      () =>
        void this.state
          .forgive(claim.id)
          .catch((error: unknown) => log.error({ err: error }, 'earlier failures were not forgotten')),
      PROOF_MS,
    );
    try {
      log.debug('session begins');
      await this.session.run(claim, signal, begun + TURN_MS * (0.75 + Math.random() / 2));
      return signal.aborted ? ended() : 0;
    } catch (error) {
      // Whoever took it over has it: a job of ours would only take it away from there.
      if (error instanceof Superseded) return null;
      // The account was removed.
      if (error instanceof NotFound) return null;
      if (signal.aborted) {
        log.debug({ err: error }, 'session broke while stopping');
        return ended();
      }
      if (isDatabaseOutage(error)) {
        log.warn({ err: error }, 'session ended: the database is away');
        return OUTAGE_MS * (0.5 + Math.random());
      }
      if (!(error instanceof ProviderError)) log.error({ err: error }, 'session failed');
      const known =
        error instanceof ProviderError
          ? error
          : new ProviderError('unavailable', 'Something failed inside the engine.');
      const wait = await this.state.failed(claim, known);
      log.warn({ kind: known.kind, wait, reason: known.message }, 'session ended');
      return wait;
    } finally {
      clearTimeout(proof);
    }
  }

  private end(held: Held, handOver: boolean): void {
    held.leaving = true;
    held.handOver = handOver;
    held.stop.abort();
  }

  private staying(): number {
    let count = 0;
    for (const { leaving } of this.held.values()) if (!leaving) count += 1;
    return count;
  }

  /** The next some of those we hold, as the database knows them. */
  private async compare(): Promise<void> {
    const all = [...this.held];
    const from = this.compared < all.length ? this.compared : 0;
    const asked = new Map(all.slice(from, from + Math.max(LEAST_COMPARED, Math.ceil(all.length / 4))));
    this.compared = from + asked.size;
    if (asked.size === 0) return;
    const lost = await this.state.lost(new Map([...asked].map(([id, { epoch }]) => [id, epoch])));
    for (const id of lost) {
      const held = asked.get(id)!;
      this.end(held, held.handOver);
    }
  }

  /** Ends sessions of accounts that were stopped, removed or taken over, and those beyond our share. */
  private async renew(): Promise<void> {
    try {
      await this.crew.report(this.held.size);
      // The oldest first: their turns would end next.
      let tooMany = surplus(this.staying(), this.crew.share);
      for (const held of this.held.values()) {
        if (tooMany <= 0) break;
        if (held.leaving) continue;
        this.end(held, true);
        tooMany -= 1;
      }
      await this.compare();
    } catch (error) {
      this.logger.warn({ err: error }, 'could not compare held accounts with the database');
    }
  }
}

async function lastCommand(older: Held | undefined): Promise<void> {
  if (older) await Promise.race([older.ended, sleep(LAST_COMMAND_MS, undefined, { ref: false })]);
}
