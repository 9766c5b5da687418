import { Injectable } from '@nestjs/common';

import { canonicalEmail } from '#libs/common/participants.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { AccountClaim } from './account-state.js';
import { Connections } from './connections.js';
import { OneConnection } from './driver-source.js';
import { FolderRound } from './folder-round.js';
import { FolderVisits, type Watch } from './folder-visits.js';
import { DriftCheck, type DriftProgress } from './mail/drift-check.js';
import { FolderStore } from './mail/folder-store.js';

/** While other accounts are compared with their servers, this one asks again so often. */
const BUSY_MS = 2000;

interface Session extends Watch {
  readonly drift: DriftProgress;
  /** When the comparison with the server goes on. */
  driftAt: number;
}

/** Holds one account: watches its inbox, looks at the other folders now and then, and keeps the store in step. */
@Injectable()
export class AccountSession {
  constructor(
    private readonly connections: Connections,
    private readonly folders: FolderStore,
    private readonly visits: FolderVisits,
    private readonly round: FolderRound,
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
    const session: Session = { account, source, signal, roundAt: 0, drift, driftAt: Infinity };
    // After a crash or a stop, old mail waits for somebody to read on.
    if ((await this.folders.list(claim.id)).some((folder) => folder.pending)) await this.visits.startBackfill(claim.id);
    try {
      while (!signal.aborted && Date.now() < until) {
        if (Date.now() >= session.roundAt) await this.lookAround(session);
        else if (Date.now() >= session.driftAt) await this.compare(session);
        else await this.rest(session, until);
      }
    } finally {
      this.driftCheck.end(drift);
      await source.discard();
    }
  }

  /** Waits on the inbox, and reads what came. */
  private async rest(session: Session, until: number): Promise<void> {
    const { account, source, signal } = session;
    const [main] = await this.folders.list(account.id);
    if (!main) throw new ProviderError('unavailable', 'The account has no folder that can be opened.');
    const driver = await source.get();
    const wait = Math.max(0, Math.min(session.roundAt, session.driftAt, until) - Date.now());
    if ((await driver.waitForChange(main.path, wait, signal)) === 'quiet') return;
    // Read again: backfill may have finished meanwhile.
    const fresh = (await this.folders.list(account.id)).find((folder) => folder.id === main.id);
    if (fresh && !signal.aborted) await this.visits.visit(session, fresh, 'recent');
  }

  private async lookAround(session: Session): Promise<void> {
    await this.round.run(session);
    session.driftAt = Math.min(session.driftAt, Date.now());
  }

  /** A slice of the comparison with the server, then a pause nine times as long: it is never in a hurry. */
  private async compare(session: Session): Promise<void> {
    const begun = Date.now();
    const outcome = await this.driftCheck.slice({
      account: session.account,
      source: session.source,
      progress: session.drift,
      visit: (folder, depth) => this.visits.visit(session, folder, depth),
    });
    const now = Date.now();
    if (outcome === 'done') session.driftAt = Infinity;
    else if (outcome === 'busy') session.driftAt = now + BUSY_MS * (0.5 + Math.random());
    else session.driftAt = now + 9 * (now - begun);
  }
}
