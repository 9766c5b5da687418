import { Random } from '../../bench/mailbox/random.js';
import { Cable } from '../cable.js';
import { type ConnectedAccount, PASSWORD, type Product } from '../product.js';

import { type ApiView, asMailState, contradictions, nameOf, readApi } from './api-view.js';
import { moveSome, toldOfMail } from './calm-deeds.js';
import { DeltaFeed, LogTable } from './change-source.js';
import { type Machinery, machineryHealthySince, strike } from './faults.js';
import { Follower } from './follower.js';
import { differences, type MailState } from './mail-state.js';
import { type Correspondence, MailUser } from './mail-user.js';
import { mailboxTruth } from './mailbox-truth.js';
import { operations } from './operations.js';
import { unreadPart } from './read-state.js';
import { now, patiently, pause, PAUSE_MS } from './patience.js';

/** How long the store may take to equal the mailbox once nobody touches it any more and the machinery is sound. */
const SETTLE_MS = 180_000;
const isLate = (begun: number) => Date.now() > Math.max(begun, machineryHealthySince()) + SETTLE_MS;
/** Between two readings of the log while mail programs are at work. */
const FOLLOW_MS = 400;
/** Between two looks. */
const LONGEST_PAUSE_MS = 2000;
/** As long as the log tells nothing, nothing should have changed: the API is read this often nevertheless. */
const READ_MS = 5000;
/** A log that was silent for so long will stay silent. */
const SILENCE_MS = 5000;

export interface ScenarioResult {
  readonly seed: number;
  /** What was not as it should be; none when all is well. */
  readonly differences: readonly string[];
  /** What was done, one line each. */
  readonly diary: readonly string[];
  readonly ms: number;
}

/** Where scenarios play. */
export interface Stage extends Machinery {
  readonly product: Product;
}

/** One mailbox of its own, some mail programs at work in it, trouble on the way to it, and two consumers that follow. */
export class Scenario {
  private readonly random: Random;
  private readonly users: MailUser[];
  private readonly found: string[] = [];
  /** Message-ID to the id under which the API has shown it at the end of a phase. */
  private readonly ids = new Map<string, string>();
  private readonly diary: string[] = [];
  /** What the API has shown then. */
  private view!: ApiView;

  private constructor(
    private readonly stage: Stage,
    private readonly cable: Cable,
    private readonly local: string,
    private readonly account: ConnectedAccount,
    private readonly followers: readonly Follower[],
    seed: number,
  ) {
    this.random = new Random(seed);
    const letters: Correspondence = [];
    const { dovecot } = stage.product;
    this.users = ['ann', 'bob', 'cy'].slice(0, this.random.int(1, 3)).map((name, index) => {
      const random = new Random(seed * 31 + index + 1);
      return new MailUser({ name, dovecot, address: `${local}@example.com`, password: PASSWORD, random, letters });
    });
  }

  /** Plays what the seed says and looks at what came of it. */
  static async run(stage: Stage, seed: number): Promise<ScenarioResult> {
    const begun = Date.now();
    const { product } = stage;
    const local = `soak-${seed}`;
    product.addUser(local);
    const cable = await Cable.to(`imap://127.0.0.1:${product.dovecot.imapPort}`);
    let account: ConnectedAccount;
    try {
      account = await patiently(() => product.connect(local, { imap_port: cable.port }));
    } catch (error) {
      return { seed, differences: [`it could not be connected: ${String(error)}`], diary: [], ms: Date.now() - begun };
    }
    const sources = [new LogTable(product.installation.env['DATABASE_URL']!, account.id), new DeltaFeed(account.api)];
    const followers = sources.map((source) => new Follower(source, account.api));
    const scenario = new Scenario(stage, cable, local, account, followers, seed);
    try {
      await scenario.play();
    } catch (error) {
      scenario.found.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      for (const source of sources) await source.close();
      for (const user of scenario.users) user.close();
      await patiently(() => remove(product, account.id)).catch((error: unknown) => scenario.found.push(String(error)));
      cable.remove();
    }
    const diary = [...scenario.diary, ...scenario.users.flatMap((user) => user.diary)].toSorted();
    return { seed, differences: scenario.found, diary, ms: Date.now() - begun };
  }

  private async play(): Promise<void> {
    for (let phases = this.random.int(1, 3); phases > 0 && this.found.length === 0; phases -= 1) {
      await this.act();
      await this.settle();
    }
    if (this.found.length === 0) await this.moveCalmly();
    if (this.found.length === 0) await this.renumberCalmly();
  }

  /** Lets all users loose at once, while the consumers read along. */
  private async act(): Promise<void> {
    let busy = true;
    const following = (async () => {
      while (busy) {
        await this.follow().catch(() => undefined);
        await pause(FOLLOW_MS);
      }
    })();
    const steps = this.random.int(3, 15);
    const troubles = this.random.pick([0, 0, 1, 2, 4]);
    try {
      await Promise.all([
        this.trouble(troubles),
        ...this.users.map(async (user) => {
          for (let left = steps; left > 0; left -= 1) {
            await user.step(operations);
            await pause(user.random.logUniform(1, 400));
          }
        }),
      ]);
    } finally {
      busy = false;
      await following;
    }
    if (troubles > 1) await this.connectAgain();
  }

  /** As its owner does who sees an account in trouble: after many failures it would be tried again in minutes only. */
  private async connectAgain(): Promise<void> {
    const { id } = await patiently(() => this.stage.product.connect(this.local, { imap_port: this.cable.port }));
    if (id !== this.account.id) this.found.push(`connected again the account is ${id}, not ${this.account.id}`);
    this.diary.push(`${now()} connected again`);
  }

  private async follow(): Promise<void> {
    for (const follower of this.followers) await follower.catchUp();
  }

  private position(): string {
    return this.followers.map((follower) => follower.position).join();
  }

  private async trouble(times: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      await pause(this.random.int(0, 1000));
      const at = now();
      this.diary.push(`${at} ${await strike(this.cable, this.stage, this.random)}, over at ${now()}`);
    }
  }

  /** Waits until the store equals the mailbox, then holds everything that follows from it against it. */
  private async settle(): Promise<void> {
    const truth = await patiently(() => this.truth());
    const begun = Date.now();
    let quietSince = begun;
    let [readAt, readPosition] = [0, ''];
    for (let wait = PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
      await patiently(() => this.follow());
      const before = this.position();
      if (before === readPosition && Date.now() - readAt < READ_MS) {
        await pause(wait);
        continue;
      }
      const view = await patiently(() => readApi(this.account.api));
      [readAt, readPosition] = [Date.now(), before];
      await patiently(() => this.follow());
      if (this.position() !== before) quietSince = Date.now();
      const mail = [...differences(truth, asMailState(view)), ...contradictions(view)];
      const log = this.followers.flatMap((follower) => follower.differences(view));
      if (mail.length + log.length === 0) return this.compareIds(view);
      // What the log has not told by now, with the mail as it should be, it never will.
      const silent = mail.length === 0 && Date.now() - quietSince > SILENCE_MS;
      if (silent || isLate(begun) || this.followers.some(({ complaints }) => complaints.length > 0)) {
        this.found.push(...mail, ...log);
        this.diary.push(`${now()} given up`);
        return;
      }
      await pause(wait);
    }
  }

  private async truth(): Promise<MailState> {
    const client = await this.stage.product.mailProgram(this.local);
    try {
      return await mailboxTruth(client);
    } finally {
      client.close();
    }
  }

  private async moveCalmly(): Promise<void> {
    if (!(await this.untilRead())) return;
    await patiently(() => this.follow());
    const { told } = this.followers[0]!;
    const before = told.length;
    const deed = await this.users[0]!.calmly((client) => moveSome(client, this.view, this.random));
    if (!deed) return;
    this.diary.push(`${now()} calm move ${deed.words}`);
    await this.settle();
    this.found.push(...deed.check(told.slice(before)));
  }

  /** Old numbers are void, but no message is another than before. */
  private async renumberCalmly(): Promise<void> {
    const { told } = this.followers[0]!;
    const before = told.length;
    const folder = await this.users[0]!.calmly(async (client) => {
      const path = await this.users[0]!.folder(client);
      await client.mailboxOpen(path);
      return path;
    });
    if (folder === null) return;
    await patiently(() => this.users[0]!.resetUids(folder));
    this.diary.push(`${now()} calm reset ${folder}`);
    if (!(await this.untilRead())) return;
    await this.settle();
    this.found.push(...toldOfMail(told.slice(before)));
  }

  /** Waits until nothing is left to be read. @returns false when that takes too long */
  private async untilRead(): Promise<boolean> {
    const begun = Date.now();
    const { installation } = this.stage;
    for (;;) {
      const left = await this.users[0]!.calmly((client) => unreadPart(installation, this.account.id, client));
      if (left === '') return true;
      if (isLate(begun)) return this.found.push(`not read to its end: ${left ?? 'listing was refused'}`) === 0;
      await pause(LONGEST_PAUSE_MS / 4);
    }
  }

  /** A message that was there before is there under the id it had. */
  private compareIds(view: ApiView): void {
    const { messages } = view;
    this.view = view;
    for (const message of messages) {
      const before = this.ids.get(nameOf(message)) ?? message.id;
      if (before !== message.id) this.found.push(`message ${nameOf(message)} was ${before} and became ${message.id}`);
    }
    this.ids.clear();
    for (const message of messages) this.ids.set(nameOf(message), message.id);
    this.diary.push(`${now()} settled`);
  }
}

async function remove({ installation }: Product, accountId: string): Promise<void> {
  const { code, complaint } = await installation.command(['account', 'remove', accountId]);
  if (code !== 0) throw new Error(complaint);
}
