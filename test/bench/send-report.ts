import { closingLine, isMet, quantile, round, table, type Target } from './report.js';

export interface Pace {
  readonly perSecond: number;
  /** Of each, in milliseconds. */
  readonly took: readonly number[];
}

/** What a step with the large attachment cost the API and the worker. */
export interface Strain {
  readonly step: string;
  readonly seconds: number;
  readonly apiMb: number;
  readonly workerMb: number;
  readonly apiHeldUpMs: number;
  readonly workerHeldUpMs: number;
}

export interface Measured {
  readonly ours: Pace;
  readonly bare: Pace;
  /** From the last answer until every copy is in its folder of sent mail. */
  readonly copiesSeconds: number;
  /** Milliseconds of CPU a message, its copy included. */
  readonly apiCpuMs: number;
  readonly workerCpuMs: number;
  readonly strains: readonly Strain[];
}

const figure = (value: number, digits: number): string => String(round(value, digits));

/** The lines of the benchmark; the last is for scripts. */
export function sendReport(
  measured: Measured,
  { messages, megabytes }: { readonly messages: number; readonly megabytes: number },
): string {
  const { ours, bare, strains, copiesSeconds, apiCpuMs, workerCpuMs } = measured;
  const targets = targetsOf(measured, megabytes);
  return [
    table(
      [`${messages} messages`, 'a second', 'p50 ms', 'p99 ms'],
      [paceRow('POST /send', ours), paceRow('nodemailer, pooled', bare)],
    ),
    `copies among the sent mail: all there ${figure(copiesSeconds, 1)} s after the last answer; ` +
      `CPU a message: API ${figure(apiCpuMs, 1)} ms, worker ${figure(workerCpuMs, 1)} ms\n`,
    table(
      [`${megabytes} MB attached`, 's', 'API MB', 'worker MB', 'API held up ms', 'worker held up ms'],
      strains.map(strainRow),
    ),
    ...targets.map((target) => `${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)}`),
    closingLine('send', figuresOf(measured), targets),
  ].join('\n');
}

const paceRow = (name: string, { perSecond, took }: Pace): string[] => [
  name,
  ...[perSecond, quantile(took, 0.5), quantile(took, 0.99)].map((value) => figure(value, 1)),
];

const strainRow = ({ step, seconds, apiMb, workerMb, apiHeldUpMs, workerHeldUpMs }: Strain): string[] => [
  step,
  figure(seconds, 2),
  ...[apiMb, workerMb, apiHeldUpMs, workerHeldUpMs].map((value) => figure(value, 0)),
];

const most = (strains: readonly Strain[], of: (strain: Strain) => number): number => Math.max(...strains.map(of));

function targetsOf({ ours, strains }: Measured, megabytes: number): Target[] {
  const apiMb = most(strains, (strain) => strain.apiMb);
  return [
    { name: 'messages/s', value: ours.perSecond, atLeast: 50 },
    { name: `API memory growth, ${megabytes} MB attached, MB`, value: apiMb, atMost: 60 },
    { name: 'API event loop held up, ms', value: most(strains, (strain) => strain.apiHeldUpMs), atMost: 100 },
    { name: 'worker event loop held up, ms', value: most(strains, (strain) => strain.workerHeldUpMs), atMost: 100 },
  ];
}

function figuresOf({ ours, bare, strains }: Measured) {
  const pace = { ours: round(ours.perSecond, 1), peer: round(bare.perSecond, 1) };
  const apiMb = round(
    most(strains, (strain) => strain.apiMb),
    1,
  );
  const workerMb = round(
    most(strains, (strain) => strain.workerMb),
    1,
  );
  return {
    ours: { perSecond: pace.ours, apiMb, workerMb },
    peer: { perSecond: pace.peer },
    ratio: { perSecond: round(pace.ours / pace.peer, 3) },
  };
}
