import { Clock } from '../clock.js';
import type { ConnectedAccount, Product } from '../product.js';

import { type ApiView, asMailState, contradictions, nameOf, readApi } from './api-view.js';
import { DeltaFeed, LogTable, type SourceChange } from './change-source.js';
import { machineryHealthySince } from './faults.js';
import { Follower } from './follower.js';
import type { Ledger } from './ledger.js';
import { differences, groupedBy } from './mail-state.js';
import type { MailUser } from './mail-user.js';
import { type Mailbox, readMailbox, stateOf } from './mailbox-truth.js';
import { acceptedMessage, lostOrDoubled } from './own-mail.js';
import { patiently, pause, PAUSE_MS } from './patience.js';
import { unreadPart } from './read-state.js';

/** How long the store may take to equal the mailbox once nobody touches it any more and the machinery is sound. */
const SETTLE_MS = 180_000;
const isLate = (begun: number) => Date.now() > Math.max(begun, machineryHealthySince()) + SETTLE_MS;
/** Between two looks. */
const LONGEST_PAUSE_MS = 2000;
/** As long as the log tells nothing, nothing should have changed: the API is read this often nevertheless. */
const READ_MS = 5000;
/** A log that was silent for so long will stay silent. */
const SILENCE_MS = 5000;
/** A copy that a worker saved which was taken for dead is removed by whoever finds it, once folders were looked at. */
const TIDYING_MS = 20_000;
/** Copies of what may have been sent come back sooner, if any. */
const RETURN_MS = 10_000;

/** As `now()` of patience.ts spells it. */
const DIARY_TIME = (time: string) => `to_char(${time}, 'MI:SS.MS')`;

interface Job {
  readonly status: string;
  readonly action: string;
}

/** Looks at one account from all sides: its API, two consumers of its changes, its mailbox, and what was sent. */
export class Lookout {
  private readonly sources: readonly [LogTable, DeltaFeed];
  private readonly followers: readonly [Follower, Follower];
  /** Message-ID to the ids under which the API has shown it at the end of a phase. */
  private ids = new Map<string, ReadonlySet<string>>();
  private readonly clock: Clock;
  /** What the API has shown then. */
  view!: ApiView;
  /** Folders that the server listed then, and those of them that it could not open. */
  listed: ReadonlySet<string> = new Set();
  shells: ReadonlySet<string> = new Set();

  constructor(
    private readonly product: Product,
    private readonly eyes: MailUser,
    private readonly account: ConnectedAccount,
    private readonly ledger: Ledger,
  ) {
    const { installation } = product;
    this.sources = [new LogTable(installation.env['DATABASE_URL']!, account.id), new DeltaFeed(account.api)];
    this.followers = [new Follower(this.sources[0], account.api), new Follower(this.sources[1], account.api)];
    this.clock = new Clock(installation);
  }

  async close(): Promise<void> {
    for (const source of this.sources) await source.close();
  }

  /** Every change there was, oldest first. */
  get told(): readonly SourceChange[] {
    return this.followers[0].told;
  }

  async follow(): Promise<void> {
    for (const follower of this.followers) await follower.catchUp();
  }

  /** Waits until the store equals the mailbox. @returns what is not as it should be */
  async settle(): Promise<string[]> {
    const begun = Date.now();
    let quietSince = begun;
    let untidySince: number | null = null;
    let [readAt, readPosition] = [0, ''];
    for (let wait = PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
      await patiently(() => this.follow());
      const before = this.position();
      if (before === readPosition && Date.now() - readAt < READ_MS) {
        await pause(wait);
        continue;
      }
      const pending = await patiently(() => this.pending());
      if (pending.length > 0) {
        if (isLate(begun)) return pending;
        if (Date.now() - begun > RETURN_MS) await patiently(() => this.hurry());
        quietSince = Date.now();
        await pause(wait);
        continue;
      }
      const mailbox = await patiently(() => this.mailbox());
      const view = await patiently(() => readApi(this.account.api));
      [readAt, readPosition] = [Date.now(), before];
      this.shells = mailbox.shells ?? new Set();
      this.listed = mailbox.folders;
      await patiently(() => this.follow());
      if (this.position() !== before) quietSince = Date.now();
      const mail = this.compare(mailbox, view);
      const log = this.followers.flatMap((follower) => follower.differences(view));
      if (mail.length + log.length === 0) {
        const wrong = this.lostOrDoubled(mailbox, view);
        untidySince ??= Date.now();
        const untidy = Date.now() - Math.max(untidySince, machineryHealthySince());
        if (wrong.length === 0 || untidy > TIDYING_MS) return [...wrong, ...this.changedIds(view)];
        await pause(wait);
        continue;
      }
      // What the log has not told by now, with the mail as it should be, it never will.
      const silent = mail.length === 0 && Date.now() - quietSince > SILENCE_MS;
      if (silent || isLate(begun) || this.followers.some(({ complaints }) => complaints.length > 0))
        return [...mail, ...log];
      await pause(wait);
    }
  }

  /** Waits until nothing is left to be read. @returns what is, when that takes too long */
  async untilRead(): Promise<string[]> {
    const begun = Date.now();
    for (;;) {
      const left = await this.eyes.calmly((client) => unreadPart(this.product.installation, this.account.id, client));
      if (left === '') return [];
      if (isLate(begun)) return [`not read to its end: ${left ?? 'listing was refused'}`];
      await pause(LONGEST_PAUSE_MS / 4);
    }
  }

  /** What the account has had of it: its state, and the last that its owner was told; for diaries. */
  async trouble(): Promise<string[]> {
    const { installation } = this.product;
    const [state] = await installation.query(
      `SELECT format('%s %s, %s failures, seen %s, due %s', ${DIARY_TIME('now()')}, sync_state, sync_failures,
         ${DIARY_TIME('sync_seen_at')}, ${DIARY_TIME('sync_retry_at')}) AS line
       FROM accounts WHERE id = $1`,
      [this.account.id],
    );
    const events = await installation.query(
      `SELECT format('%s log: %s %s', ${DIARY_TIME('at')}, kind, message) AS line FROM account_events
       WHERE account_id = $1 ORDER BY at DESC LIMIT 20`,
      [this.account.id],
    );
    return [state, ...events].map((row) => String((row as { line?: string } | undefined)?.line));
  }

  private position(): string {
    return this.followers.map((follower) => follower.position).join();
  }

  /** What would take minutes. */
  private async hurry(): Promise<void> {
    await this.clock.lookedLongEnough(this.account.id);
    await this.clock.actionsAreDue(this.account.id);
  }

  /** Writes that are neither done nor given up. */
  private async pending(): Promise<string[]> {
    const jobs = await this.account.api.ok<Job[]>('/job-statuses?limit=1000');
    return jobs.filter(({ status }) => status === 'pending').map(({ action }) => `${action} is pending still`);
  }

  private async mailbox(): Promise<Mailbox> {
    const mailbox = await this.eyes.calmly(readMailbox);
    if (!mailbox) throw new Error('the mailbox cannot be read');
    return mailbox;
  }

  private accepted() {
    const { messages } = this.product.smtp;
    return messages.filter(({ from }) => from === this.eyes.address).map(acceptedMessage);
  }

  private compare(mailbox: Mailbox, view: ApiView): string[] {
    const returned = new Set(this.accepted().map(({ name }) => name));
    // What is sent to the account itself comes back as another message. What other mail programs take away while we save
    // it is saved again.
    const mostOf = (name: string) => (this.ledger.isUncertain(name) ? Infinity : returned.has(name) ? 2 : 1);
    return [...differences(stateOf(mailbox), asMailState(view)), ...contradictions(view, mostOf)];
  }

  private lostOrDoubled(mailbox: Mailbox, view: ApiView): string[] {
    if (!this.ledger.hasApplication) return [];
    return lostOrDoubled({ ledger: this.ledger, mailbox, view, accepted: this.accepted() });
  }

  /** A message that was there before is there under the id it had. */
  private changedIds(view: ApiView): string[] {
    const lines: string[] = [];
    const ids = new Map<string, ReadonlySet<string>>();
    for (const [name, messages] of groupedBy(view.messages, nameOf)) {
      const now = new Set(messages.map(({ id }) => id));
      const before = this.ids.get(name) ?? now;
      const gone = [...before].filter((id) => !now.has(id));
      const come = [...now].filter((id) => !before.has(id));
      if (gone.length > 0 && come.length > 0 && !this.ledger.isUncertain(name))
        lines.push(`message ${name} was ${gone.join()} and became ${come.join()}`);
      ids.set(name, now);
    }
    this.ids = ids;
    this.view = view;
    return lines;
  }
}
