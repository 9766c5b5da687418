import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { ImapFlow } from 'imapflow';

import type { Dovecot } from '../../apps/launcher/peers/dovecot.js';

import { addAccounts, type LiveAccount, untilWatched } from './live/accounts.js';
import { Delivery } from './live/deliver.js';
import { bareWatcher, startMailHost } from './live/mail-host.js';
import { openStream } from './live/stream.js';
import { inParallel, until } from './live/wait.js';
import { type ProductProcess, type Servers, startApp, startServers } from './product.js';
import { closingLine, isMet, machine, quantile, round, table, type Target } from './report.js';

const HELP = `npm run bench:latency -- [--accounts N] [--mails N] [--peer N] [--every MS] [--profile DIR] [--raw]

  --accounts  watched mailboxes, 200 by default
  --mails     how many are delivered, 150 by default, one to a mailbox at a time
  --peer      how many more are delivered of which the bare watcher fetches the source, 40 by default
  --every     milliseconds from one to the next, 1000 by default
  --profile   write a CPU profile of worker and API to this folder
  --raw       print every single figure`;

/** What became of one delivered mail, in milliseconds of one clock. */
interface Trace {
  /** The bare watcher was there before the worker. */
  readonly early: boolean;
  readonly delivered: number;
  exists: number | null;
  /** The bare watcher has its source. */
  fetched: number | null;
  delta: number | null;
}

/** One mailbox with its bare watcher and its delta stream. */
interface Watched {
  readonly flow: ImapFlow;
  readonly seen: { trace: Trace | null; fetches: boolean };
}

interface Options {
  readonly accounts: number;
  readonly mails: number;
  readonly peer: number;
  readonly everyMs: number;
  readonly profileDir: string | undefined;
  readonly raw: boolean;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      accounts: { type: 'string', default: '200' },
      mails: { type: 'string', default: '150' },
      peer: { type: 'string', default: '40' },
      every: { type: 'string', default: '1000' },
      profile: { type: 'string' },
      raw: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const options: Options = {
    accounts: Number(values.accounts),
    mails: Number(values.mails),
    peer: Number(values.peer),
    everyMs: Number(values.every),
    profileDir: values.profile,
    raw: values.raw,
  };
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-latency-'));
  chmodSync(dir, 0o755); // as root, servers run as other users
  const host = await startMailHost(path.join(dir, 'imap'), options.accounts, options.accounts * 2);
  try {
    report(await measure(dir, host, options), options);
  } finally {
    await host.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Measured {
  readonly ours: readonly Trace[];
  readonly peer: readonly Trace[];
}

async function measure(dir: string, host: Dovecot, options: Options): Promise<Measured> {
  const servers = await startServers(path.join(dir, 'ours'));
  const processes: ProductProcess[] = [];
  try {
    // Whom Dovecot tells first of the two in a mailbox hangs on who came first: in every other one it is the bare watcher.
    const all = Array.from({ length: options.accounts }, (_, n) => n);
    const early = await inParallel(all.filter(comesFirst), 8, (n) => bareWatcher(host.imapPort, n));
    const flags = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(options.profileDir)}`] : [];
    processes.push(await startApp('worker', servers.environment, flags));
    processes.push(await startApp('api', servers.environment, flags));
    const accounts = await addAccounts(servers, host, options.accounts);
    await untilWatched(servers, options.accounts, 300);
    const watched = await inParallel(accounts, 8, async (account, n) => {
      const { seen } = await follow(servers, account);
      const flow = comesFirst(n) ? early[n / 2]! : await bareWatcher(host.imapPort, n);
      flow.on('exists', ({ count }) => void heard(flow, count, seen));
      return { flow, seen };
    });
    console.log(`${watched.length} accounts are watched by the worker and by a bare imapflow each`);
    const delivery = await Delivery.open(host, options.mails + options.peer);
    const ours = await run(delivery, watched, 0, options.mails, options.everyMs);
    for (const { seen } of watched) seen.fetches = true;
    const peer = await run(delivery, watched, options.mails, options.peer, options.everyMs);
    delivery.close();
    return { ours, peer };
  } finally {
    for (const each of processes) await each.stop();
    await servers.stop();
  }
}

const comesFirst = (n: number): boolean => n % 2 === 0;

/** Opens the account's delta stream. */
async function follow(servers: Servers, account: LiveAccount): Promise<Pick<Watched, 'seen'>> {
  const port = Number(servers.environment.PORT);
  const answer = await fetch(`http://127.0.0.1:${port}/delta/latest_cursor`, {
    method: 'POST',
    headers: { authorization: `Bearer ${account.token}` },
  });
  const { cursor } = (await answer.json()) as { cursor: string };
  const seen: Watched['seen'] = { trace: null, fetches: false };
  await openStream(port, `/delta/streaming?cursor=${cursor}&timeout=3600`, account.token, (text, at) => {
    if (seen.trace && text.includes('"event":"create","object":"message"')) seen.trace.delta ??= at;
  });
  return { seen };
}

async function heard(flow: ImapFlow, count: number, { trace, fetches }: Watched['seen']): Promise<void> {
  if (!trace) return;
  trace.exists ??= performance.now();
  if (!fetches) return;
  await flow.fetchOne(String(count), { uid: true, flags: true, source: true });
  trace.fetched ??= performance.now();
  void flow.idle();
}

/** One mail after the other, each to the next mailbox. */
async function run(
  delivery: Delivery,
  watched: readonly Watched[],
  first: number,
  count: number,
  everyMs: number,
): Promise<Trace[]> {
  const traces: Trace[] = [];
  const started = performance.now();
  for (let mail = 0; mail < count; mail += 1) {
    await sleep(Math.max(0, started + mail * everyMs - performance.now()));
    // Steps of 77 mailboxes: not in the order in which they were connected.
    const n = ((first + mail) * 77) % watched.length;
    const trace: Trace = {
      early: comesFirst(n),
      delivered: performance.now(),
      exists: null,
      fetched: null,
      delta: null,
    };
    watched[n]!.seen.trace = trace;
    traces.push(trace);
    await delivery.deliver(n);
  }
  await until('all mail was heard of', 60, async () => traces.every(({ exists, delta }) => exists && delta)).catch(
    (error: unknown) => console.error(error, traces.filter(({ exists, delta }) => !exists || !delta).length),
  );
  return traces;
}

function report({ ours, peer }: Measured, { raw }: Options): void {
  const delays = (traces: readonly Trace[], end: (trace: Trace) => number | null) =>
    traces.map((trace) => (end(trace) ?? Infinity) - (trace.exists ?? 0));
  const deltas = delays(ours, (trace) => trace.delta);
  const fetches = delays(peer, (trace) => trace.fetched);
  const notices = ours.map(({ exists, delivered }) => (exists ?? Infinity) - delivered);
  const loaded = delays(peer, (trace) => trace.delta);
  if (raw) console.log(deltas.map((delay) => round(delay, 1)).join(' '));
  const row = (name: string, values: readonly number[]) => [
    name,
    String(values.length),
    ...[0.5, 0.9, 0.99, 1].map((share) => String(round(quantile(values, share), 1))),
  ];
  const rows = [
    row('EXISTS at the watcher → delta', deltas),
    row(
      '– where the watcher came first',
      delays(
        ours.filter(({ early }) => early),
        (trace) => trace.delta,
      ),
    ),
    row(
      '– where the worker came first',
      delays(
        ours.filter(({ early }) => !early),
        (trace) => trace.delta,
      ),
    ),
    row('EXISTS at the watcher → source fetched by it', fetches),
    row('the same mail, → delta', loaded),
    row('delivery begins → EXISTS at the watcher', notices),
  ];
  console.log(`\n${table(['milliseconds', 'mails', 'p50', 'p90', 'p99', 'most'], rows)}\n`);
  const [p50, p99] = [quantile(deltas, 0.5), quantile(deltas, 0.99)];
  const targets: Target[] = [
    { name: 'EXISTS to delta, p50, ms', value: p50, atMost: 10 },
    { name: 'EXISTS to delta, p99, ms', value: p99, atMost: 60 },
  ];
  for (const target of targets) {
    console.log(
      `${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)} (≤ ${target.atMost})`,
    );
  }
  const bare = { p50: quantile(fetches, 0.5), p99: quantile(fetches, 0.99) };
  const figures = {
    ours: { p50: round(p50), p99: round(p99) },
    peer: { p50: round(bare.p50), p99: round(bare.p99) },
    ratio: { p50: round(p50 / bare.p50), p99: round(p99 / bare.p99) },
  };
  console.log(closingLine('latency', figures, targets));
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
