import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { Random } from '../../bench/mailbox/random.js';
import type { Cable } from '../cable.js';
import { Clock } from '../clock.js';
import type { Installation, ProcessName } from '../installation.js';
import type { OwnPostgres, OwnRedis } from '../own-servers.js';

import { patiently, pause } from './patience.js';

/** What every mailbox of a run hangs on. */
export interface Machinery {
  readonly installation: Installation;
  readonly workers: readonly ProcessName[];
  readonly dovecot: Dovecot;
  readonly postgres: OwnPostgres;
  readonly redis: OwnRedis;
}

/** Nothing that is shorter loses its leases where nobody helps time along. */
const SHORTEST_HANG_MS = 3000;
const LONGEST_HANG_MS = 20_000;

/** Trouble with one account's way to its server, or with the machinery. Over when the promise is kept. */
type Fault = (cable: Cable, machinery: Machinery, random: Random) => Promise<void>;

interface NamedFault {
  readonly name: string;
  readonly strike: Fault;
}

const drop: Fault = async (cable) => cable.drop();

const corrupt: Fault = async (cable) => cable.corrupt();

const sever: Fault = async (cable, _machinery, random) => {
  cable.sever();
  await pause(random.int(50, 1500));
  cable.mend();
};

const delay: Fault = async (cable, _machinery, random) => {
  cable.slow({ delayMs: random.int(5, 100) });
  await pause(random.int(200, 3000));
  cable.mend();
};

const throttle: Fault = async (cable, _machinery, random) => {
  cable.slow({ bytesPerSecond: random.logUniform(2000, 200_000) });
  await pause(random.int(200, 3000));
  cable.mend();
};

const kill = async (installation: Installation, names: readonly ProcessName[], random: Random): Promise<void> => {
  await Promise.all(names.map((name) => installation.kill(name)));
  if (!names.includes('api')) await patiently(() => new Clock(installation).leasesRunOut());
  await pause(random.int(0, 500));
  await Promise.all(names.map((name) => patiently(() => installation.start(name))));
};

const killWorker: Fault = (_cable, { installation, workers }, random) =>
  kill(installation, [random.pick(workers)], random);

const killWorkers: Fault = (_cable, { installation, workers }, random) => kill(installation, workers, random);

/** Whoever asks it for something gets no answer, though it may have been done. */
const killApi: Fault = (_cable, { installation }, random) => kill(installation, ['api'], random);

/** It is taken for dead, and comes back while others do its work. */
const hangWorker: Fault = async (_cable, { installation, workers }, random) => {
  const pid = installation.pid(random.pick(workers));
  process.kill(pid, 'SIGSTOP');
  try {
    await patiently(() => new Clock(installation).leasesRunOut());
    await untilTakenOver(installation);
    await pause(random.int(SHORTEST_HANG_MS, SHORTEST_HANG_MS + 1000));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
};

/** Until somebody has been seen with every account since, or for as long as it takes to sweep up what was left. */
async function untilTakenOver(installation: Installation): Promise<void> {
  const deadline = Date.now() + LONGEST_HANG_MS;
  const left = `SELECT FROM accounts WHERE sync_enabled AND sync_seen_at < now() - interval '20 seconds' LIMIT 1`;
  while (Date.now() < deadline && (await patiently(() => installation.query(left))).length > 0) await pause();
}

const restartPostgres: Fault = async (_cable, { postgres }) => {
  await postgres.stop();
  await patiently(() => postgres.start());
};

const restartRedis: Fault = async (_cable, { redis }) => {
  await redis.stop();
  await patiently(() => redis.start());
};

const restartDovecot: Fault = (_cable, { dovecot }) => dovecot.restart();

/** With how often they strike. */
const lineFaults: readonly (readonly [NamedFault, number])[] = [
  [{ name: 'drop', strike: drop }, 4],
  [{ name: 'corrupt', strike: corrupt }, 3],
  [{ name: 'sever', strike: sever }, 2],
  [{ name: 'delay', strike: delay }, 2],
  [{ name: 'throttle', strike: throttle }, 2],
];
const machineryFaults: readonly (readonly [NamedFault, number])[] = [
  [{ name: 'kill worker', strike: killWorker }, 3],
  [{ name: 'kill all workers', strike: killWorkers }, 1],
  [{ name: 'hang worker', strike: hangWorker }, 2],
  [{ name: 'kill API', strike: killApi }, 1],
  [{ name: 'restart PostgreSQL', strike: restartPostgres }, 1],
  [{ name: 'restart Redis', strike: restartRedis }, 1],
  [{ name: 'restart Dovecot', strike: restartDovecot }, 1],
];

/** What strikes the machinery strikes every scenario, and leaves it so long to recover. */
const MACHINERY_REST_MS = 15_000;
let machineryBusy = false;
let machineryHealthyAt = 0;

/** When the machinery was last found or made whole, milliseconds; now, while something is wrong with it. */
export const machineryHealthySince = (): number => (machineryBusy ? Date.now() : machineryHealthyAt);

/** @returns whether it struck: not while the machinery suffers from another scenario's fault */
async function strikeMachinery(work: () => Promise<void>): Promise<boolean> {
  if (machineryBusy || Date.now() - machineryHealthyAt < MACHINERY_REST_MS) return false;
  machineryBusy = true;
  try {
    await work();
    return true;
  } finally {
    machineryBusy = false;
    machineryHealthyAt = Date.now();
  }
}

/** Lets a fault of chance strike, and waits until it is over. @returns its name */
export async function strike(cable: Cable, machinery: Machinery, random: Random): Promise<string> {
  const ofLine = random.chance(0.9);
  const fault = random.weighted(ofLine ? lineFaults : machineryFaults);
  const work = () => fault.strike(cable, machinery, random);
  if (!ofLine) return (await strikeMachinery(work)) ? fault.name : `no ${fault.name}: it suffers already`;
  await work();
  return fault.name;
}
