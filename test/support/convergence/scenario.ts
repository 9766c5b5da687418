import { Random } from '../../bench/mailbox/random.js';
import { type ConnectedAccount, PASSWORD, type Product } from '../product.js';

import { type ApiView, asMailState, contradictions, nameOf, readApi } from './api-view.js';
import { LogTable } from './change-source.js';
import { Follower } from './follower.js';
import { differences } from './mail-state.js';
import { type Correspondence, MailUser } from './mail-user.js';
import { operations } from './operations.js';
import { mailboxTruth } from './mailbox-truth.js';

/** How long the store may take to equal the mailbox once nobody touches it any more. */
const SETTLE_MS = 120_000;
const PAUSE_MS = 100;

export interface ScenarioResult {
  readonly seed: number;
  /** What was not as it should be; none when all is well. */
  readonly differences: readonly string[];
  /** What was done, one line each. */
  readonly diary: readonly string[];
  readonly ms: number;
}

/** One mailbox of its own, some mail programs at work in it, and a consumer that follows. */
export class Scenario {
  private readonly random: Random;
  private readonly users: MailUser[];
  private readonly found: string[] = [];
  /** Message-ID to the id under which the API has shown it at the end of a phase. */
  private readonly ids = new Map<string, string>();
  private readonly diary: string[] = [];

  private constructor(
    private readonly product: Product,
    private readonly local: string,
    private readonly account: ConnectedAccount,
    private readonly follower: Follower,
    seed: number,
  ) {
    this.random = new Random(seed);
    const letters: Correspondence = [];
    const { imapPort: port } = product.dovecot;
    this.users = ['ann', 'bob', 'cy'].slice(0, this.random.int(1, 3)).map((name, index) => {
      const random = new Random(seed * 31 + index + 1);
      return new MailUser({ name, port, address: `${local}@example.com`, password: PASSWORD, random, letters });
    });
  }

  /** Plays what the seed says and looks at what came of it. */
  static async run(product: Product, seed: number): Promise<ScenarioResult> {
    const begun = Date.now();
    const local = `soak-${seed}`;
    product.addUser(local);
    const account = await product.connect(local);
    const source = new LogTable(product.installation.env['DATABASE_URL']!, account.id);
    const follower = new Follower(source, account.api);
    const scenario = new Scenario(product, local, account, follower, seed);
    try {
      await scenario.play();
    } finally {
      await source.close();
      for (const user of scenario.users) user.close();
      await product.installation.command(['account', 'remove', account.id]);
    }
    const diary = [...scenario.diary, ...scenario.users.flatMap((user) => user.diary)].toSorted();
    return { seed, differences: scenario.found, diary, ms: Date.now() - begun };
  }

  private async play(): Promise<void> {
    for (let phases = this.random.int(1, 3); phases > 0 && this.found.length === 0; phases -= 1) {
      await this.act();
      await this.settle();
    }
  }

  /** Lets all users loose at once, while the consumer reads along. */
  private async act(): Promise<void> {
    let busy = true;
    const following = (async () => {
      while (busy) await this.follower.catchUp().catch(() => pause());
    })();
    const steps = this.random.int(3, 15);
    try {
      await Promise.all(
        this.users.map(async (user) => {
          for (let left = steps; left > 0; left -= 1) {
            await user.step(operations);
            await pause(user.random.logUniform(1, 400));
          }
        }),
      );
    } finally {
      busy = false;
      await following;
    }
  }

  /** Waits until the store equals the mailbox, then holds everything that follows from it against it. */
  private async settle(): Promise<void> {
    const client = await this.product.mailProgram(this.local);
    const truth = await mailboxTruth(client);
    client.close();
    const deadline = Date.now() + SETTLE_MS;
    for (;;) {
      const view = await readApi(this.account.api);
      await this.follower.catchUp();
      const lines = [
        ...differences(truth, asMailState(view)),
        ...contradictions(view),
        ...this.follower.differences(view),
      ];
      if (lines.length === 0) return this.compareIds(view);
      if (Date.now() > deadline || this.follower.complaints.length > 0) {
        this.found.push(...lines);
        return;
      }
      await pause();
    }
  }

  /** A message that was there before is there under the id it had. */
  private compareIds({ messages }: ApiView): void {
    for (const message of messages) {
      const before = this.ids.get(nameOf(message)) ?? message.id;
      if (before !== message.id) this.found.push(`message ${nameOf(message)} was ${before} and became ${message.id}`);
    }
    this.ids.clear();
    for (const message of messages) this.ids.set(nameOf(message), message.id);
    this.diary.push(`${new Date().toISOString().slice(17, 23)} settled`);
  }
}

const pause = (ms = PAUSE_MS) => new Promise((resolve) => setTimeout(resolve, ms));
