import { Random } from '../../bench/mailbox/random.js';
import { Cable } from '../cable.js';
import { Clock } from '../clock.js';
import { type ConnectedAccount, PASSWORD, type Product } from '../product.js';

import { apiOperations } from './api-operations.js';
import { ApiUser } from './api-user.js';
import { moveSome, toldOfMail } from './calm-deeds.js';
import { type Machinery, strike } from './faults.js';
import { Ledger } from './ledger.js';
import { Lookout } from './lookout.js';
import { MailUser } from './mail-user.js';
import { namedMessages } from './mailbox-truth.js';
import { operations } from './operations.js';
import { now, patiently, pause, within } from './patience.js';

/** Between two readings of the log while users are at work. */
const FOLLOW_MS = 400;
const CONNECT_MS = 15_000;

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
  /** No application writes through the API. */
  readonly mailOnly: boolean;
}

/** One mailbox of its own, mail programs and an application at work in it, trouble on the way to it, two consumers. */
export class Scenario {
  private readonly random: Random;
  private readonly ledger = new Ledger();
  private readonly programs: readonly MailUser[];
  /** Null where only mail programs write. */
  private readonly application: ApiUser | null;
  private readonly lookout: Lookout;
  private readonly found: string[] = [];
  private readonly diary: string[] = [];

  private constructor(
    private readonly stage: Stage,
    private readonly cable: Cable,
    private readonly local: string,
    private readonly account: ConnectedAccount,
    seed: number,
  ) {
    this.random = new Random(seed);
    const { ledger } = this;
    ledger.hasApplication = !stage.mailOnly;
    const { dovecot } = stage.product;
    const address = `${local}@example.com`;
    this.programs = ['ann', 'bob', 'cy'].slice(0, this.random.int(1, 3)).map((name, index) => {
      const random = new Random(seed * 31 + index + 1);
      return new MailUser({ name, dovecot, address, password: PASSWORD, random, ledger });
    });
    this.application = stage.mailOnly
      ? null
      : new ApiUser({ name: 'app', account, address, random: new Random(seed * 31), ledger });
    this.lookout = new Lookout(stage.product, this.programs[0]!, account, ledger);
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
      account = await patiently(() => within(CONNECT_MS, product.connect(local, { imap_port: cable.port })));
    } catch (error) {
      return { seed, differences: [`it could not be connected: ${String(error)}`], diary: [], ms: Date.now() - begun };
    }
    const scenario = new Scenario(stage, cable, local, account, seed);
    try {
      await scenario.play();
    } catch (error) {
      scenario.found.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      await scenario.lookout.close();
      for (const user of scenario.programs) user.close();
      await patiently(() => remove(product, account.id)).catch((error: unknown) => scenario.found.push(String(error)));
      cable.remove();
    }
    const users = [...scenario.programs, ...(scenario.application ? [scenario.application] : [])];
    const diary = [...scenario.diary, ...users.flatMap((user) => user.diary)].toSorted();
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
        await this.lookout.follow().catch(() => undefined);
        await pause(FOLLOW_MS);
      }
    })();
    const { application } = this;
    const steps = this.random.int(3, 15);
    const troubles = this.random.pick([0, 0, 1, 2, 4]);
    const work = async (random: Random, step: () => Promise<void>) => {
      for (let left = steps; left > 0; left -= 1) {
        await step();
        await pause(random.logUniform(1, 400));
      }
    };
    try {
      await Promise.all([
        this.trouble(troubles),
        ...(application ? [work(application.random, () => application.step(apiOperations))] : []),
        ...this.programs.map((user) => work(user.random, () => user.step(operations))),
      ]);
    } finally {
      busy = false;
      await following;
    }
    if (troubles > 1) await this.connectAgain();
    await application?.askAgain(() => new Clock(this.stage.installation).sendsAreLeft(this.account.id));
  }

  /** As its owner does who sees an account in trouble: after many failures it would be tried again in minutes only. */
  private async connectAgain(): Promise<void> {
    const connect = () => this.stage.product.connect(this.local, { imap_port: this.cable.port });
    // A worker that dies answers nobody.
    const { id } = await patiently(() => within(CONNECT_MS, connect()));
    if (id !== this.account.id) this.found.push(`connected again the account is ${id}, not ${this.account.id}`);
    this.diary.push(`${now()} connected again`);
  }

  private async trouble(times: number): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      await pause(this.random.int(0, 1000));
      const at = now();
      this.diary.push(`${at} ${await strike(this.cable, this.stage, this.random)}, over at ${now()}`);
    }
  }

  private async settle(): Promise<void> {
    const differences = await this.lookout.settle();
    this.found.push(...differences);
    this.diary.push(`${now()} ${differences.length > 0 ? 'given up' : 'settled'}`);
    if (differences.length > 0) this.diary.push(...(await patiently(() => this.lookout.trouble())));
  }

  /** Waits until nothing is left to be read. @returns whether that came to pass */
  private async untilRead(): Promise<boolean> {
    const left = await this.lookout.untilRead();
    this.found.push(...left);
    return left.length === 0;
  }

  private async moveCalmly(): Promise<void> {
    if (!(await this.untilRead())) return;
    await patiently(() => this.lookout.follow());
    const before = this.lookout.told.length;
    const user = this.programs[0]!;
    const deed = await user.calmly((client) => moveSome(client, this.lookout.view, this.random, user));
    if (!deed) return;
    this.diary.push(`${now()} calm move ${deed.words}`);
    await this.settle();
    this.found.push(...deed.check(this.lookout.told.slice(before)));
  }

  /** Old numbers are void, but no message is another than before. */
  private async renumberCalmly(): Promise<void> {
    const before = this.lookout.told.length;
    const { listed: listedBefore } = this.lookout;
    const [user] = this.programs;
    const folder = await user!.calmly(async (client) => {
      const path = await user!.folder(client);
      const messages = await namedMessages(client, path);
      return messages.some(({ name }) => this.ledger.isUncertain(name)) ? null : path;
    });
    if (folder === null) return;
    await patiently(() => user!.resetUids(folder));
    this.diary.push(`${now()} calm reset ${folder}`);
    if (!(await this.untilRead())) return;
    await this.settle();
    const { told, view, shells, listed } = this.lookout;
    const appeared = [...listed].filter((path) => !listedBefore.has(path));
    this.found.push(...toldOfMail(told.slice(before), view, new Set([...shells, ...appeared])));
  }
}

async function remove({ installation }: Product, accountId: string): Promise<void> {
  const { code, complaint } = await installation.command(['account', 'remove', accountId]);
  if (code !== 0) throw new Error(complaint);
}
