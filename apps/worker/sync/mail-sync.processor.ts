import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { Superseded } from '#libs/changes/account-writer.js';
import { Logger } from '#libs/common/logger.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { JobQueue } from '#libs/queues/job-queue.js';
import type { JobPayload } from '#libs/queues/jobs.js';
import { AccountSession } from '#libs/sync/account-session.js';
import { type AccountClaim, AccountState } from '#libs/sync/account-state.js';

/** A session's turn, give or take a quarter: afterwards any worker may take the account on. */
const TURN_MS = 30 * 60_000;
/** A session that lived this long has proved its connection; failures before it are forgotten. */
const PROOF_MS = 5 * 60_000;
/** How often held accounts are compared with what their owners want. */
const RENEW_MS = 2000;

interface Held {
  readonly epoch: number;
  readonly stop: AbortController;
}

/** Runs the sessions of this process. */
@Injectable()
export class MailSyncProcessor implements OnApplicationShutdown {
  private readonly held = new Map<string, Held>();
  private readonly running = new Set<Promise<void>>();
  private stopping = false;
  private renewing: NodeJS.Timeout | null = null;

  constructor(
    private readonly session: AccountSession,
    private readonly state: AccountState,
    private readonly queue: JobQueue,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  async watch({ accountId }: JobPayload<'account.watch'>): Promise<void> {
    const turn = this.takeTurn(accountId);
    this.running.add(turn);
    await turn.finally(() => this.running.delete(turn));
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    if (this.renewing) clearInterval(this.renewing);
    for (const { stop } of this.held.values()) stop.abort();
    await Promise.allSettled(this.running);
  }

  private async takeTurn(accountId: string): Promise<void> {
    if (this.stopping) return;
    const claim = await this.state.claim(accountId);
    if (!claim) return;
    const stop = new AbortController();
    // An older session of this process, superseded by this claim, would otherwise idle on unseen.
    this.held.get(accountId)?.stop.abort();
    this.held.set(accountId, { epoch: claim.epoch, stop });
    this.renewing ??= setInterval(() => void this.renew(), RENEW_MS);
    const wait = await this.hold(claim, stop.signal).finally(() => {
      if (this.held.get(accountId)?.stop === stop) this.held.delete(accountId);
    });
    if (wait !== null) await this.queue.continue('account.watch', { accountId }, wait);
  }

  /** @returns milliseconds until the account's next turn; null when somebody else will start it */
  private async hold(claim: AccountClaim, signal: AbortSignal): Promise<number | null> {
    const begun = Date.now();
    const log = this.logger.child({ accountId: claim.id, epoch: claim.epoch });
    const proof = setTimeout(
      () => void this.state.forgive(claim.id).catch((error: unknown) => log.error(error)),
      PROOF_MS,
    );
    try {
      log.debug('session begins');
      await this.session.run(claim, signal, begun + TURN_MS * (0.75 + Math.random() / 2));
      return signal.aborted ? null : 0;
    } catch (error) {
      if (error instanceof Superseded) return null;
      if (signal.aborted) {
        log.debug({ error }, 'session broke while stopping');
        return null;
      }
      if (!(error instanceof ProviderError)) log.error({ err: error }, 'session failed');
      const known =
        error instanceof ProviderError
          ? error
          : new ProviderError('unavailable', 'Something failed inside the engine.');
      const wait = await this.state.failed(claim.id, known);
      log.warn({ kind: known.kind, wait, reason: known.message }, 'session ended');
      return wait;
    } finally {
      clearTimeout(proof);
    }
  }

  /** Ends sessions of accounts that were stopped, removed or taken over. */
  private async renew(): Promise<void> {
    if (this.held.size === 0) return;
    try {
      const asked = new Map(this.held);
      const ours = await this.state.stillOurs(new Map([...asked].map(([id, { epoch }]) => [id, epoch])));
      for (const [id, { stop }] of asked) if (!ours.has(id)) stop.abort();
    } catch (error) {
      this.logger.warn({ err: error }, 'could not compare held accounts with the database');
    }
  }
}
