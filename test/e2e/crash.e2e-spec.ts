import { Random } from '../bench/mailbox/random.js';
import { CrashTest } from '../support/crash/crash-test.js';
import { deeds } from '../support/crash/deeds.js';
import { CrashMatrix } from '../support/crash/matrix.js';
import { type Case, type CaseResult, diesTwice } from '../support/crash/wave.js';

const budget = {
  /** At every point of every deed; left out, every point is passed in some deed once. */
  runs: Number(process.env['CRASH_RUNS'] ?? 0),
  minutes: Number(process.env['CRASH_MINUTES'] ?? Infinity),
  start: Number(process.env['CRASH_START'] ?? Date.now() % 1_000_000),
  /** Worker deaths at a time: of many runs more, so that it starts less often. */
  wave: Number(process.env['CRASH_WAVE'] ?? (process.env['CRASH_RUNS'] ? 80 : 34)),
  /** One cell of the matrix: deed and point, as a fault prints them. */
  deed: process.env['CRASH_DEED'],
  point: process.env['CRASH_POINT'],
};
/** So many there are at least: a point that is passed no more would test nothing. */
const LEAST_POINTS = 20;
const MOST_TRIES = 3;
/** To the seed of a case that is tried again. Seeds by the clock are less. */
const ANOTHER = 1_000_000;

jest.setTimeout(2 ** 31 - 1);

const say = (line: string) => process.stderr.write(`${line}\n`);

function tell({ case: { deed, point, seed }, faults, words }: CaseResult): void {
  say(`${deed.name}, ${point ?? 'worker alive'}${words && ` (${words})`}:`);
  for (const fault of faults) say(`  ${fault}`);
  if (point !== null)
    say(`  replay: npm run crash -- --runs 1 --deed '${deed.name}' --point '${point}' --start ${seed}`);
}

describe('a worker that dies', () => {
  let test: CrashTest;

  beforeAll(async () => {
    test = await CrashTest.start();
  });
  afterAll(() => test?.stop());

  /** Every deed once with a worker that lives: tells which points there are. */
  const cells = async (): Promise<Omit<Case, 'seed'>[]> => {
    const chosen = deeds.filter(({ name }) => budget.deed === undefined || name === budget.deed);
    if (budget.deed !== undefined && budget.point !== undefined) return [{ deed: chosen[0]!, point: budget.point }];
    const played = new Set(chosen.map((deed) => deeds.find(({ name }) => name === deed.pointsOf?.deed) ?? deed));
    const list = [...played].map((deed): Case => ({ deed, point: null, seed: 1 }));
    const found: Omit<Case, 'seed'>[] = [];
    while (list.length > 0) {
      for (const result of await test.next(list, budget.wave)) {
        if (result.faults.length > 0) tell(result);
        expect(result.faults).toEqual([]);
        const { name } = result.case.deed;
        for (const deed of chosen.filter(({ pointsOf, ...own }) => (pointsOf?.deed ?? own.name) === name)) {
          const points = result.passed.filter((point) => point.startsWith(deed.pointsOf?.kind ?? ''));
          found.push(...points.map((point) => ({ deed, point })));
        }
      }
    }
    return budget.point === undefined ? found : found.filter(({ point }) => point === budget.point);
  };

  /** What is to be played. Its order is that of chance: points of all kinds at a time. */
  const cases = async (): Promise<Case[]> => {
    const places = await cells();
    say(`crash: ${places.length} places to die at, ${budget.runs || 'every point once'}, from seed ${budget.start}`);
    const round = (seed: number) => shuffled(places, seed).map((place): Case => ({ ...place, seed }));
    if (budget.runs > 0) return Array.from({ length: budget.runs }, (_, run) => round(budget.start + run)).flat();
    let { start } = budget;
    while (diesTwice(start)) start += 1;
    return onceEach(round(start));
  };

  it('loses nothing, and does nothing twice', async () => {
    const begun = Date.now();
    const list = await cases();
    const matrix = new CrashMatrix();
    const faulty: CaseResult[] = [];
    const isTime = () => Date.now() - begun < budget.minutes * 60_000;
    while (list.length > 0 && isTime() && test.crashes.length === 0) {
      const at = Date.now();
      const results = await test.next(list, budget.wave);
      for (const result of results) {
        matrix.add(result);
        const { seed } = result.case;
        // What chance chose may have led past the point.
        if (budget.runs > 0 && !result.reached && seed < MOST_TRIES * ANOTHER)
          list.push({ ...result.case, seed: seed + ANOTHER });
        if (result.faults.length === 0) continue;
        faulty.push(result);
        tell(result);
      }
      say(`crash: ${results.length} in ${Date.now() - at} ms, ${matrix.sum}, ${list.length} to go`);
    }
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
    if (budget.runs > 0) say(matrix.lines().join('\n'));
    say(`crash: ${matrix.sum} in ${minutes} minutes`);
    expect(test.crashes).toEqual([]);
    expect(test.sentTwice).toEqual([]);
    expect(faulty.map(({ case: { deed, point }, faults }) => ({ deed: deed.name, point, faults }))).toEqual([]);
    const least = budget.deed === undefined && budget.point === undefined ? LEAST_POINTS : 1;
    expect(matrix.points).toBeGreaterThanOrEqual(least);
  });
});

/** Every point in one deed, at its first passage. */
function onceEach(round: readonly Case[]): Case[] {
  const first = round.filter(({ point }) => point?.endsWith(' 1'));
  return [...new Map(first.map((one) => [one.point, one])).values()];
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = new Random(seed);
  return list
    .map((item) => ({ item, at: random.next() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
