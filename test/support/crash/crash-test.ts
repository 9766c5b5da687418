import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { type Dovecot, startDovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { DovecotSettings } from '../../../apps/launcher/peers/dovecot-config.js';
import { Product } from '../product.js';

import { AcceptedMail } from './accepted-mail.js';
import { CrashPlan } from './crash-plan.js';
import type { ServerKind } from './deed.js';
import { Seat } from './seat.js';
import { type Case, type CaseResult, Wave } from './wave.js';

const PLAIN = 'IMAP4rev1 LITERAL+ IDLE NAMESPACE CHILDREN SPECIAL-USE ESEARCH';
const servers: Readonly<Record<Exclude<ServerKind, 'full'>, DovecotSettings>> = {
  'no MOVE': { capabilities: `${PLAIN} UIDPLUS ENABLE CONDSTORE` },
  plain: { capabilities: PLAIN },
};
/** Then somebody else sits down there, so that what has gathered slows nothing down. */
const USES = 15;

/** The machinery of a crash test, and the mailboxes in which it plays. */
export class CrashTest {
  private readonly free: Record<ServerKind, Seat[]> = { full: [], 'no MOVE': [], plain: [] };
  private readonly wave: Wave;
  private readonly post: AcceptedMail;
  private guests = 0;

  private constructor(
    private readonly product: Product,
    private readonly plan: CrashPlan,
    private readonly dovecots: Readonly<Record<ServerKind, Dovecot>>,
    private readonly dirs: readonly string[],
  ) {
    this.wave = new Wave(product.installation, plan);
    this.post = new AcceptedMail(product.smtp.messages);
  }

  static async start(): Promise<CrashTest> {
    const plan = new CrashPlan();
    const env = { ...plan.env, DATABASE_POOL_SIZE: '80', SYNC_BACKFILL_THREADS: '1', SYNC_FOLDER_POLL_SECONDS: '3' };
    const product = await Product.start({ env });
    const dirs: string[] = [];
    const start = (settings: DovecotSettings) => {
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pr-'));
      dirs.push(dir);
      return startDovecot({ dir, users: {}, settings });
    };
    const [noMove, plain] = await Promise.all([start(servers['no MOVE']), start(servers.plain)]);
    return new CrashTest(product, plan, { full: product.dovecot, 'no MOVE': noMove, plain }, dirs);
  }

  async stop(): Promise<void> {
    await this.product.stop();
    await this.dovecots['no MOVE'].stop();
    await this.dovecots.plain.stop();
    for (const dir of this.dirs) fs.rmSync(dir, { recursive: true, force: true });
    this.plan.remove();
  }

  /** Subjects of what was accepted more than once. */
  get sentTwice(): readonly string[] {
    return this.post.sentTwice();
  }

  get crashes(): readonly string[] {
    return this.product.installation.crashes;
  }

  /** Takes the next cases off the list, as many as can be played at once. */
  async next(list: Case[], most: number): Promise<CaseResult[]> {
    const cases = this.seated(list, most);
    const played = await Promise.all(cases.map(async (one) => [one, await this.seatFor(one)] as const));
    const results = await this.wave.run(played);
    await Promise.all(played.map(([one, seat], index) => this.giveBack(one, seat, results[index]!)));
    return results;
  }

  /** Those first for whom there is a mailbox: one in which nobody plays costs a worker that starts as much as another. */
  private seated(list: Case[], most: number): Case[] {
    const cases: Case[] = [];
    const standing: Case[] = [];
    const room = new Map(Object.entries(this.free).map(([server, { length }]) => [server, length]));
    while (list.length > 0 && cases.length < most) {
      const one = list.shift()!;
      const left = room.get(one.deed.server)!;
      room.set(one.deed.server, left - 1);
      (left > 0 ? cases : standing).push(one);
    }
    cases.push(...standing.splice(0, most - cases.length));
    list.unshift(...standing);
    return cases;
  }

  private async seatFor({ deed: { server } }: Case): Promise<Seat> {
    return (
      this.free[server].pop() ??
      (await Seat.take(this.product, this.dovecots[server], `crash-${(this.guests += 1)}`, this.post))
    );
  }

  /** Where something went wrong nobody sits down again. */
  private async giveBack({ deed: { server } }: Case, seat: Seat, { faults }: CaseResult): Promise<void> {
    seat.uses += 1;
    if (faults.length > 0 || seat.uses >= USES) await seat.leave();
    else this.free[server].push(seat);
  }
}
