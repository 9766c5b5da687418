import { Injectable } from '@nestjs/common';

import { canonicalEmail } from '#libs/common/participants.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { AccountClaim } from './account-state.js';
import { Connections } from './connections.js';
import { OneConnection } from './driver-source.js';
import { FolderRound } from './folder-round.js';
import { FolderVisits, type Watch } from './folder-visits.js';
import { DriftCheck, type DriftProgress } from './mail/drift-check.js';
import { FolderStore, type StoredFolder } from './mail/folder-store.js';
import { afterStandstill } from './standstill.js';
import { ActionBell } from './syncback/action-bell.js';
import { Syncback } from './syncback/syncback.js';

/** While other accounts are compared with their servers, this one asks again so often. */
const BUSY_MS = 2000;

interface Session extends Watch {
  readonly drift: DriftProgress;
  /** When the comparison with the server goes on. */
  driftAt: number;
  /** When something is to be written to the server. */
  writeAt: number;
  /** Ends the present rest. */
  wake: () => void;
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
    private readonly syncback: Syncback,
    private readonly bell: ActionBell,
  ) {}

  /**
   * Runs until `until` (milliseconds) or until `signal` fires.
   * @throws ProviderError when the account cannot go on; Superseded when somebody else has taken it over
   */
  async run(claim: AccountClaim, signal: AbortSignal, until: number): Promise<void> {
    // What the provider is told is not undone by refusing the record of it.
    const mayGoOn = afterStandstill(this.connections.standstills, () => this.connections.mustHold(claim));
    const source = new OneConnection(() => this.connections.openMail(claim.id), mayGoOn);
    const account = { id: claim.id, owner: canonicalEmail(claim.emailAddress), epoch: claim.epoch };
    const drift = { since: claim.lostAt, comparison: null };
    const session: Session = {
      account,
      source,
      signal,
      roundAt: 0,
      arrivedAt: 0,
      main: null,
      settled: null,
      drift,
      driftAt: Infinity,
      writeAt: 0,
      wake: () => {},
      between: async () => Date.now() >= session.writeAt && this.write(session, 'mail'),
    };
    const unheard = this.bell.listen(claim.id, () => {
      session.writeAt = 0;
      session.wake();
    });
    const unheeded = this.visits.heedOthers(session);
    try {
      // After a crash or a stop, old mail waits for somebody to read on.
      if ((await this.folders.list(claim.id)).some(({ pending }) => pending)) await this.visits.startBackfill(claim.id);
      while (!signal.aborted && Date.now() < until) {
        if (Date.now() >= session.writeAt) await this.write(session);
        else if (Date.now() >= session.roundAt) await this.lookAround(session);
        else if (Date.now() >= session.driftAt) await this.compare(session);
        else await this.rest(session, until);
      }
    } finally {
      unheard();
      unheeded();
      this.driftCheck.end(drift);
      await source.discard();
    }
  }

  /** Waits on the inbox, and reads what came. */
  private async rest(session: Session, until: number): Promise<void> {
    const { account, source, signal } = session;
    session.main ??= (await this.folders.list(account.id))[0] ?? null;
    const { main } = session;
    if (!main) throw new ProviderError('unavailable', 'The account has no folder that can be opened.');
    const driver = await source.get();
    const wait = Math.max(0, Math.min(session.roundAt, session.driftAt, session.writeAt, until) - Date.now());
    const woken = new AbortController();
    session.wake = () => woken.abort();
    signal.addEventListener('abort', session.wake);
    if (signal.aborted) woken.abort();
    const outcome = await driver.waitForChange(main.path, wait, woken.signal).finally(() => {
      signal.removeEventListener('abort', session.wake);
      session.wake = () => {};
    });
    if (outcome === 'quiet') return;
    const fresh = await this.asStored(session, main);
    if (fresh && !signal.aborted) await this.visits.visit(session, fresh, outcome === 'arrived' ? 'arrived' : 'recent');
  }

  /** Only the session moves on in a folder, and backfill while it has some of it to read. */
  private async asStored({ account, main }: Session, folder: StoredFolder): Promise<StoredFolder | undefined> {
    if (main === folder && !folder.pending) return folder;
    return (await this.folders.list(account.id)).find(({ id }) => id === folder.id);
  }

  private async write(session: Session, what: 'mail' | 'all' = 'all'): Promise<true> {
    session.writeAt = Infinity;
    this.visits.unsettle(session);
    session.writeAt = Math.min(session.writeAt, await this.syncback.run(session, what));
    return true;
  }

  private async lookAround(session: Session): Promise<void> {
    if ((await this.round.run(session)) === 'quiet') return;
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
    if (outcome === 'more') this.visits.unsettle(session);
    if (outcome === 'done') session.driftAt = now + (await this.driftCheck.restsFor(session.account));
    else if (outcome === 'busy') session.driftAt = now + BUSY_MS * (0.5 + Math.random());
    else session.driftAt = now + 9 * (now - begun);
  }
}
