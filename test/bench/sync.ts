import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { generateMailbox, type Mailbox } from './mailbox/generate.js';
import { closingLine, isMet, machine, median, round, table, type Target } from './report.js';
import { MailServers } from './sync/mail-server.js';
import { type MbsyncRun, runMbsync } from './sync/mbsync.js';
import { type OurRun, runOurs } from './sync/ours.js';

const HELP = `npm run bench:sync -- [--messages N[,N]] [--runs N] [--only durable,fast,ours] [--keep] [--profile DIR]
                      [--mailbox DIR] [--baseline MESSAGES/S]

  --messages  size of the mailbox, 20000 by default; several sizes are measured one after the other
  --runs      how often each is measured, 3 by default; medians count
  --only      leave contenders out: durable (mbsync), fast (mbsync without fsync), ours
  --keep      leave the results of the last run behind and say where
  --profile   write a CPU profile of the worker to this folder
  --mailbox   where generated mailboxes are kept, the system's temp folder by default
  --baseline  our messages/s at 20,000 of an earlier run, to hold a bigger mailbox against`;

type Contender = 'durable' | 'fast' | 'ours';

interface Measured {
  readonly messages: number;
  readonly durable: readonly MbsyncRun[];
  readonly fast: readonly MbsyncRun[];
  readonly ours: readonly OurRun[];
}

interface Options {
  readonly runs: number;
  readonly contenders: readonly Contender[];
  readonly keep: boolean;
  readonly profileDir?: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '20000' },
      runs: { type: 'string', default: '3' },
      only: { type: 'string', default: 'durable,fast,ours' },
      keep: { type: 'boolean', default: false },
      profile: { type: 'string' },
      mailbox: { type: 'string' },
      baseline: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const options: Options = {
    runs: Number(values.runs),
    contenders: values.only.split(',') as Contender[],
    keep: values.keep,
    ...(values.profile ? { profileDir: values.profile } : {}),
  };
  console.log(machine());
  let baseline = values.baseline ? Number(values.baseline) : null;
  const lines: string[] = [];
  for (const messages of values.messages.split(',').map(Number)) {
    const mailbox = generateMailbox({ messages, ...(values.mailbox ? { cacheDir: values.mailbox } : {}) });
    const measured = await measureMailbox(mailbox, options);
    console.log(`\n${describe(mailbox)}\n${resultTable(measured)}\n`);
    lines.push(conclude(measured, baseline));
    if (messages === 20_000) baseline = rate(measured);
  }
  console.log(lines.join('\n'));
}

const describe = (mailbox: Mailbox): string =>
  `${mailbox.files} messages, ${round(mailbox.bytes / 1e9)} GB, ${Object.keys(mailbox.folders).length} folders`;

/** Contenders take turns, in another order each time: the machine's moods hit all alike. */
async function measureMailbox(mailbox: Mailbox, options: Options): Promise<Measured> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'postrider-sync-'));
  chmodSync(scratch, 0o755); // as root, servers run as other users
  const measured = {
    messages: mailbox.files,
    durable: [] as MbsyncRun[],
    fast: [] as MbsyncRun[],
    ours: [] as OurRun[],
  };
  try {
    const servers = await MailServers.prepare(mailbox, path.join(scratch, 'imap'));
    for (let run = 1; run <= options.runs; run += 1) {
      const order = run % 2 ? options.contenders : options.contenders.toReversed();
      for (const contender of order) {
        // A new folder each time, removed at the end: files made soon after others were deleted cost ext4 dearly.
        const dir = path.join(scratch, `${contender}-${run}`);
        const server = await servers.start();
        try {
          const result =
            contender === 'ours'
              ? await runOurs(server, dir, {
                  mailbox,
                  ...(options.profileDir ? { profileDir: options.profileDir } : {}),
                })
              : await runMbsync(server, dir, { durable: contender === 'durable', expected: mailbox.files });
          (measured[contender] as (MbsyncRun | OurRun)[]).push(result);
          console.log(`run ${run}: ${titles[contender]} ${round(result.seconds)} s`);
        } finally {
          await server.stop();
        }
      }
    }
  } finally {
    if (options.keep) console.log(`Left behind: ${scratch}`);
    else rmSync(scratch, { recursive: true, force: true });
  }
  return measured;
}

const titles: Record<Contender, string> = {
  durable: 'mbsync',
  fast: 'mbsync, no fsync',
  ours: 'ours',
};

const medianOf = <T>(runs: readonly T[], figure: (run: T) => number): number => median(runs.map(figure));

function rate(measured: Measured): number {
  return measured.messages / medianOf(measured.ours, (run) => run.seconds);
}

function resultTable(measured: Measured): string {
  const row = (contender: Contender, more: readonly string[]): string[] => {
    const runs: readonly MbsyncRun[] = measured[contender];
    const seconds = medianOf(runs, (run) => run.seconds);
    const spread = `${round(Math.min(...runs.map((run) => run.seconds)))}–${round(Math.max(...runs.map((run) => run.seconds)))}`;
    const serverCpu = String(round(medianOf(runs, (run) => run.serverCpuSeconds)));
    return [
      titles[contender],
      String(round(seconds)),
      spread,
      String(Math.round(measured.messages / seconds)),
      serverCpu,
      ...more,
    ];
  };
  const { ours } = measured;
  const figures = [
    medianOf(ours, (run) => run.workerCpuSeconds),
    medianOf(ours, (run) => run.postgresCpuSeconds),
    Math.max(...ours.map((run) => run.workerPeakMegabytes)),
    medianOf(ours, (run) => run.firstMailSeconds),
  ].map((figure) => String(round(figure)));
  const rows = [
    ...(['durable', 'fast'] as const).filter((peer) => measured[peer].length > 0).map((peer) => row(peer, [])),
    ...(ours.length > 0 ? [row('ours', figures)] : []),
  ];
  return table(
    ['', 's', 'range', 'messages/s', 'IMAP CPU s', 'worker CPU s', 'PG CPU s', 'worker MB', 'first mail s'],
    rows,
  );
}

function conclude(measured: Measured, baseline: number | null): string {
  const seconds = Object.fromEntries(
    (['durable', 'fast', 'ours'] as const).map((who) => [
      who,
      round(medianOf<MbsyncRun>(measured[who], (run) => run.seconds)),
    ]),
  ) as Record<Contender, number>;
  const targets = measured.ours.length > 0 ? targetsFor(measured, seconds, baseline) : [];
  for (const target of targets) {
    const wanted = target.atMost === undefined ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
    console.log(`${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value, 3)} (${wanted})`);
  }
  const ratio = { durable: round(seconds.ours / seconds.durable, 3), fast: round(seconds.ours / seconds.fast, 3) };
  return closingLine(
    `sync-${measured.messages}`,
    { ours: seconds.ours, peer: { durable: seconds.durable, fast: seconds.fast }, ratio },
    targets,
  );
}

function targetsFor(measured: Measured, seconds: Record<Contender, number>, baseline: number | null): Target[] {
  const isBig = measured.messages >= 100_000;
  const { ours } = measured;
  const targets: (Target | null)[] = [
    isBig ? null : { name: 'seconds, of mbsync', value: seconds.ours / seconds.durable, atMost: 0.6 },
    { name: 'seconds, of mbsync without fsync', value: seconds.ours / seconds.fast, atMost: isBig ? 1.2 : 1.5 },
    {
      name: 'peak memory of the worker, MB',
      value: Math.max(...ours.map((run) => run.workerPeakMegabytes)),
      atMost: 500,
    },
    { name: 'first mail, s', value: medianOf(ours, (run) => run.firstMailSeconds), atMost: 2 },
    isBig && baseline
      ? { name: 'messages/s, of those at 20,000', value: rate(measured) / baseline, atLeast: 0.9 }
      : null,
  ];
  return targets.filter((target) => target !== null && !Number.isNaN(target.value)) as Target[];
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
