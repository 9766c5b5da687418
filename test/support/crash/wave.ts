import { createHash } from 'node:crypto';

import { Random } from '../../bench/mailbox/random.js';
import { Clock } from '../clock.js';
import { pause } from '../convergence/patience.js';
import type { Installation } from '../installation.js';

import type { CrashPlan } from './crash-plan.js';
import type { Deed, Intention } from './deed.js';
import { Seat } from './seat.js';
import { withoutFaults } from './without-faults.js';

/** Longer than anything takes to come to its point, or to be done. */
const PATIENCE_MS = 30_000;
/** Mostly that takes less; then it is worth asking why not. */
const SOON_MS = 400;
/** So long is waited for an account to be as it should be. */
const SETTLE_MS = 180_000;

/** One deed, during which the worker dies at one point. */
export interface Case {
  readonly deed: Deed;
  /** As CrashPoint has it; null to let the worker live. */
  readonly point: string | null;
  readonly seed: number;
}

export interface CaseResult {
  readonly case: Case;
  /** Whether the worker came to the point at all. */
  readonly reached: boolean;
  /** What was not as it should be in the end. */
  readonly faults: readonly string[];
  /** Which points were passed. */
  readonly passed: readonly string[];
  /** What chance added. */
  readonly words: string;
}

interface Actor {
  readonly case: Case;
  readonly seat: Seat;
  readonly intention: Intention;
  /** The worker that comes after dies at the same point. */
  readonly twice: boolean;
  /** The owner goes on while there is no worker. */
  readonly meanwhile: boolean;
  acted: boolean;
}

/** Several owners do something at once; the worker is killed when it stands still for all of them. */
export class Wave {
  private readonly clock: Clock;

  constructor(
    private readonly installation: Installation,
    private readonly plan: CrashPlan,
  ) {
    this.clock = new Clock(installation);
  }

  async run(cases: readonly (readonly [Case, Seat])[]): Promise<CaseResult[]> {
    this.plan.clear();
    const actors = await Promise.all(cases.map(([each, seat]) => cast(each, seat)));
    this.plan.passed();
    this.arm(actors);
    const claims = await this.claims();
    // Who does several things may have to wait for a worker that stands still after the first.
    const acting = Promise.all(actors.map(perform));
    acting.catch(() => undefined);
    const doomed = actors.filter((actor) => actor.case.point !== null);
    await this.standstill(doomed, hasActed);
    const held = this.plan.held();
    const lives = doomed.length > 0 ? await this.crash(actors, acting) : 0;
    await acting;
    const faults = await Promise.all(actors.map((actor) => this.verify(actor)));
    const claimed = await this.claims();
    actors.forEach(({ seat: { account } }, index) => {
      const times = claimed.get(account.id)! - claims.get(account.id)!;
      // Two sessions at a time would do everything twice.
      if (times > lives) faults[index]!.push(`the account was claimed ${times} times in ${lives} lives`);
    });
    const passed = this.plan.passed();
    return actors.map(({ case: played, seat, twice, meanwhile }, index) => ({
      case: played,
      reached: held.has(seat.account.id),
      faults: faults[index]!,
      passed: passed.get(seat.account.id) ?? [],
      words: [...(twice ? ['killed twice'] : []), ...(meanwhile ? ['more was done meanwhile'] : [])].join(', '),
    }));
  }

  private arm(actors: readonly Actor[]): void {
    this.plan.arm(actors.map(({ case: { point }, seat }) => ({ accountId: seat.account.id, point })));
  }

  /** Until the worker stands at all points, or has done what was asked of it without coming to them. */
  private async standstill(actors: readonly Actor[], mayBeDone: (actor: Actor) => boolean): Promise<void> {
    const waiting = new Set(actors);
    const begun = Date.now();
    while (waiting.size > 0 && Date.now() - begun < PATIENCE_MS) {
      await pause(20);
      const held = this.plan.held();
      for (const actor of waiting) if (held.has(actor.seat.account.id)) waiting.delete(actor);
      if (Date.now() - begun < SOON_MS) continue;
      for (const actor of waiting) if (mayBeDone(actor) && (await isDone(actor))) waiting.delete(actor);
    }
  }

  /** How often each account was taken on by a session. */
  private async claims(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.installation.query<{ id: string; claims: number }>(
      'SELECT id, sync_epoch AS claims FROM accounts',
    );
    return new Map(rows.map(({ id, claims }) => [id, claims]));
  }

  /** @returns how many workers there were since */
  private async crash(actors: readonly Actor[], acting: Promise<unknown>): Promise<number> {
    await this.installation.kill('worker');
    await acting;
    await this.timePasses();
    for (const { intention, meanwhile } of actors) if (meanwhile) await intention.again!();
    const again = actors.filter(({ twice }) => twice);
    if (again.length > 0) {
      this.arm(again);
      await this.installation.start('worker');
      // Whoever waited for an answer of the first gets none.
      await this.standstill(again, () => true);
      await this.installation.kill('worker');
      await this.timePasses();
    }
    this.plan.clear();
    await this.installation.start('worker');
    return again.length > 0 ? 2 : 1;
  }

  private async timePasses(): Promise<void> {
    await this.clock.jobsAreForgotten();
    await this.clock.leasesRunOut();
  }

  /** @returns what is not as it should be once it is quiet */
  private verify({ seat, intention }: Actor): Promise<string[]> {
    return withoutFaults(() => look(seat, intention), SETTLE_MS);
  }
}

async function perform(actor: Actor): Promise<void> {
  await actor.intention.act();
  actor.acted = true;
}

const hasActed = ({ acted, intention }: Actor): boolean => acted && intention.answered?.() !== false;

const isDone = async ({ seat, intention }: Actor): Promise<boolean> =>
  (await seat.unsettled()).length === 0 && ((await intention.done?.()) ?? true);

/** Looks closer only when there is a chance that all is well. */
async function look(seat: Seat, intention: Intention): Promise<string[]> {
  try {
    const unsettled = await seat.unsettled();
    if (unsettled.length > 0) return unsettled;
    const missing = (await intention.missing?.()) ?? [];
    if (missing.length > 0) return missing;
    const found = await seat.look();
    return [...Seat.faults(found), ...(await intention.faults(found))];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

async function cast(played: Case, seat: Seat): Promise<Actor> {
  const { seed, deed, point } = played;
  const twice = diesTwice(seed);
  const random = new Random(seed + hashOf(`${deed.name} ${point}`));
  const meanwhile = random.chance(0.2);
  await seat.rest();
  const intention = await deed.intend(seat, random);
  const doomed = point !== null;
  return {
    case: played,
    seat,
    intention,
    twice: doomed && twice,
    meanwhile: doomed && meanwhile && intention.again !== undefined,
    acted: false,
  };
}

/** Whether the worker that comes after a death dies, too. By the seed alone: those of a wave mostly have one in common. */
export const diesTwice = (seed: number): boolean => new Random(seed).chance(0.2);

const hashOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();
