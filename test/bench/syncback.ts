import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { ImapFlow } from 'imapflow';

import type { Dovecot } from '../../apps/launcher/peers/dovecot.js';

import { addAccounts, untilWatched } from './live/accounts.js';
import { LiveApi } from './live/api.js';
import { ImapTally } from './live/imap-tally.js';
import { mailProgram, startMailHost } from './live/mail-host.js';
import { type Servers, startApp, startServers } from './product.js';
import { closingLine, isMet, machine, quantile, round, table, type Target } from './report.js';

const HELP = `npm run bench:syncback -- [--messages N] [--clicks N] [--every MS] [--raw]

  --messages  in the mailbox, all of them changed in the end; 1000 by default
  --clicks    single changes, by flag (v2) and by tag (v1) in turn; 200 by default
  --every     milliseconds from one to the next, 100 by default
  --raw       print every single figure`;

/** Clients that change everything send so many requests at a time. */
const LANES = 8;
const POLL_MS = 2;

interface Options {
  readonly messages: number;
  readonly clicks: number;
  readonly everyMs: number;
  readonly raw: boolean;
}

/** Milliseconds from the request. */
interface Click {
  /** Until the answer, which shows the change. */
  readonly answered: number;
  /** Until another connection to the IMAP server saw it. */
  readonly written: number;
}

interface Measured {
  readonly clicks: readonly Click[];
  /** A bare imapflow that changes the flags itself. */
  readonly bare: readonly number[];
  readonly all: Click & { readonly commands: readonly string[] };
  readonly bareAll: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '1000' },
      clicks: { type: 'string', default: '200' },
      every: { type: 'string', default: '100' },
      raw: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [messages, clicks, everyMs] = [values.messages, values.clicks, values.every].map(Number) as [
    number,
    number,
    number,
  ];
  const options = { messages, clicks: Math.min(clicks, messages), everyMs, raw: values.raw };
  console.log(machine());
  const dir = mkdtempSync(path.join(tmpdir(), 'postrider-syncback-'));
  chmodSync(dir, 0o755); // as root, servers run as other users
  const host = await startMailHost(path.join(dir, 'imap'), 1, 20);
  const servers = await startServers(path.join(dir, 'ours'));
  const processes = [await startApp('worker', servers.environment), await startApp('api', servers.environment)];
  try {
    report(await measure(servers, host, options), options);
  } finally {
    for (const each of processes) await each.stop();
    await servers.stop();
    await host.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(servers: Servers, host: Dovecot, options: Options): Promise<Measured> {
  const { messages, clicks: count } = options;
  const [writer, watcher] = [await mailProgram(host.imapPort, 0), await mailProgram(host.imapPort, 0)];
  const tally = await ImapTally.to(host.imapPort);
  try {
    for (let n = 1; n <= messages; n += 1) {
      await writer.append(
        'INBOX',
        `Message-ID: <${n}@bench>\r\nFrom: ben@example.net\r\nSubject: n${n}\r\n\r\nHello.\r\n`,
      );
    }
    const [account] = await addAccounts(servers, { ...host, imapPort: tally.port }, 1);
    await untilWatched(servers, 1, 120);
    for (const flow of [writer, watcher]) await flow.mailboxOpen('INBOX');
    const api = new Api(servers, account!);
    const mail = await api.mail(messages);
    const clicks = await paced(count, options.everyMs, (n) => click(api, watcher, mail[n]!, n));
    const bare = await paced(count, options.everyMs, (n) => store(writer, watcher, mail.length - n));
    const all = await changeAll(api, watcher, mail, tally);
    return { clicks, bare, all, bareAll: await storeAll(writer, watcher, messages) };
  } finally {
    tally.close();
    for (const flow of [writer, watcher]) flow.close();
  }
}

async function paced<T>(count: number, everyMs: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const started = performance.now();
  for (let n = 0; n < count; n += 1) {
    await sleep(Math.max(0, started + n * everyMs - performance.now()));
    results.push(await work(n));
  }
  return results;
}

async function click(api: Api, watcher: ImapFlow, { uid, id, threadId }: Mail, n: number): Promise<Click> {
  const byTag = n % 2 === 1;
  const begun = performance.now();
  if (byTag) await api.put(`/n/${api.account.id}/threads/${threadId}`, { add_tags: ['starred'] });
  else await api.put(`/messages/${id}`, { starred: true });
  const answered = performance.now() - begun;
  if (!(await api.get<MessageJson>(`/messages/${id}`)).starred) throw new Error('A change does not show at once.');
  await untilFlagged(watcher, uid);
  return { answered, written: performance.now() - begun };
}

async function store(writer: ImapFlow, watcher: ImapFlow, uid: number): Promise<number> {
  const begun = performance.now();
  await writer.messageFlagsAdd(String(uid), ['\\Flagged'], { uid: true });
  await untilFlagged(watcher, uid);
  return performance.now() - begun;
}

/** Asks, for a server that is waited on tells of changes only twice a second. */
async function untilFlagged(watcher: ImapFlow, uid: number): Promise<void> {
  const give = performance.now() + 30_000;
  for (;;) {
    const row = await watcher.fetchOne(String(uid), { flags: true }, { uid: true });
    if (row && row.flags?.has('\\Flagged')) return;
    if (performance.now() > give) throw new Error(`The flag of message ${uid} does not arrive.`);
    await sleep(POLL_MS);
    await watcher.noop();
  }
}

/** Each message by a request of its own. */
async function changeAll(api: Api, watcher: ImapFlow, mail: readonly Mail[], tally: ImapTally) {
  const before = tally.commands.length;
  const begun = performance.now();
  let next = 0;
  const lane = async () => {
    for (let n = next++; n < mail.length; n = next++) await api.put(`/messages/${mail[n]!.id}`, { unread: false });
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const answered = performance.now() - begun;
  await untilSeen(watcher, mail.length);
  const written = performance.now() - begun;
  return { answered, written, commands: tally.commands.slice(before) };
}

async function storeAll(writer: ImapFlow, watcher: ImapFlow, count: number): Promise<number> {
  await writer.messageFlagsRemove('1:*', ['\\Seen'], { uid: true });
  await watcher.noop();
  const begun = performance.now();
  for (let uid = 1; uid <= count; uid += 1) await writer.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true });
  await untilSeen(watcher, count);
  return performance.now() - begun;
}

async function untilSeen(watcher: ImapFlow, count: number): Promise<void> {
  const give = performance.now() + 120_000;
  while (((await watcher.search({ seen: true }, { uid: true })) || []).length < count) {
    if (performance.now() > give) throw new Error('Not all changes arrive.');
    await sleep(POLL_MS * 5);
  }
}

interface MessageJson {
  readonly id: string;
  readonly thread_id: string;
  readonly subject: string;
  readonly starred: boolean;
}

/** In a new mailbox the nth message has uid n. */
interface Mail {
  readonly uid: number;
  readonly id: string;
  readonly threadId: string;
}

class Api extends LiveApi {
  /** In the order of their uids. */
  async mail(count: number): Promise<Mail[]> {
    const found: MessageJson[] = [];
    for (let offset = 0; offset < count; offset += 100) {
      found.push(...(await this.get<MessageJson[]>(`/messages?limit=100&offset=${offset}`)));
    }
    const mail = found.map(({ id, thread_id: threadId, subject }) => ({ uid: Number(subject.slice(1)), id, threadId }));
    return mail.toSorted((a, b) => a.uid - b.uid);
  }
}

function report({ clicks, bare, all, bareAll }: Measured, options: Options): void {
  const written = clicks.map((one) => one.written);
  const answered = clicks.map((one) => one.answered);
  if (options.raw) console.log(JSON.stringify({ clicks, bare, commands: all.commands }));
  const row = (name: string, values: readonly number[]) => [
    name,
    ...[0.5, 0.95, 1].map((share) => String(round(quantile(values, share), 1))),
  ];
  console.log(
    table(
      ['milliseconds', 'p50', 'p95', 'max'],
      [
        row('PUT answered, and shown by GET', answered),
        row('PUT to flag on the server', written),
        row('bare STORE to flag on the server', bare),
      ],
    ),
  );
  const stores = all.commands.filter((name) => name === 'UID STORE').length;
  const counts = new Map<string, number>();
  for (const name of all.commands) counts.set(name, (counts.get(name) ?? 0) + 1);
  console.log(
    `${options.messages} changes: answered in ${round(all.answered / 1000)} s, on the server in ` +
      `${round(all.written / 1000)} s, by ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}; ` +
      `a bare imapflow with a STORE each ${round(bareAll / 1000)} s`,
  );
  const [p50, p95] = [quantile(written, 0.5), quantile(written, 0.95)];
  const targets: Target[] = [
    { name: 'PUT to server, p95, ms', value: p95, atMost: 500 },
    { name: `${options.messages} changes, s`, value: all.written / 1000, atMost: 20 },
    { name: 'changes per STORE', value: options.messages / stores, atLeast: 2 },
  ];
  for (const target of targets)
    console.log(`${isMet(target) ? 'met    ' : 'NOT MET'}  ${target.name}: ${round(target.value)}`);
  const peer = { p50: quantile(bare, 0.5), p95: quantile(bare, 0.95), all: bareAll / 1000 };
  const figures = {
    ours: { p50: round(p50), p95: round(p95), all: round(all.written / 1000), stores },
    peer: { p50: round(peer.p50), p95: round(peer.p95), all: round(peer.all), stores: options.messages },
    ratio: { p50: round(p50 / peer.p50), p95: round(p95 / peer.p95), all: round(all.written / 1000 / peer.all) },
  };
  console.log(closingLine('syncback', figures, targets));
}

await main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
