import type { Random } from '../../bench/mailbox/random.js';
import type { ApiAnswer } from '../api-client.js';
import { pause } from '../convergence/patience.js';

import type { Deed, Intention } from './deed.js';
import { misplaced } from './misplaced.js';
import type { Found, Seat } from './seat.js';
import { rawLetter, to } from './send-deeds.js';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
}

/** Longer than workers take to see that something is due. */
const CLOCK_MS = 750;
const DOUBT = 'It may have been sent';

const later = (): number => Math.floor(Date.now() / 1000) + 3600;

interface Wish {
  readonly write: () => Promise<Job>;
  /** Then it is due as soon as it is written down. */
  readonly atOnce: boolean;
  readonly wasDraft: boolean;
}

async function wish(seat: Seat, random: Random, subject: string): Promise<Wish> {
  const letter = { subject, body: '<p>Hello</p>', to };
  const when = { send_at: later() };
  switch (random.pick(['new', 'at once', 'draft', 'raw'] as const)) {
    case 'new':
      return { write: () => seat.done('POST', '/send', { ...letter, ...when }), atOnce: false, wasDraft: true };
    case 'at once':
      return { write: () => seat.done('POST', '/outbox', letter), atOnce: true, wasDraft: true };
    case 'draft': {
      const { id, version } = await seat.done<{ id: string; version: number }>('POST', '/drafts', letter);
      const draft = { draft_id: id, version, ...when };
      return { write: () => seat.done('POST', '/outbox', draft), atOnce: false, wasDraft: true };
    }
    case 'raw': {
      const [path, raw] = [`/send?send_at=${when.send_at}`, rawLetter(seat, subject)];
      const type = { 'content-type': 'message/rfc822' };
      const write = async () => (await seat.call('POST', path, raw, type)).json as Job;
      return { write, atOnce: false, wasDraft: false };
    }
  }
}

/** One message that waits for its time, which comes. */
class Waiting {
  /** What those who wanted it cancelled or moved are told. */
  private readonly asked: Promise<ApiAnswer>[] = [];
  private answers = 0;
  private cancelled = false;
  private job: Job;

  private constructor(
    private readonly seat: Seat,
    private readonly subject: string,
    private readonly wish: Wish,
  ) {}

  static async begin(seat: Seat, random: Random, subject: string): Promise<Waiting> {
    const waiting = new Waiting(seat, subject, await wish(seat, random, subject));
    if (!waiting.wish.atOnce) waiting.job = await waiting.wish.write();
    return waiting;
  }

  async becomesDue(): Promise<void> {
    if (this.wish.atOnce) this.job = await this.wish.write();
    else await this.timeComes();
  }

  /** A worker that has it in its hands is not disturbed. */
  private async timeComes(): Promise<void> {
    await this.seat.query(
      `UPDATE sends SET due_at = now() WHERE (account_id, id) IN (
         SELECT account_id, id FROM sends WHERE account_id = $1 AND id = $2 AND state = 'scheduled' AND due_at > now()
         FOR UPDATE SKIP LOCKED)`,
      [this.seat.account.id, this.job.id],
    );
  }

  cancel(): void {
    this.ask('DELETE', {}, () => (this.cancelled = true));
  }

  move(): void {
    this.ask('PATCH', { send_at: later() });
  }

  /** Whoever asks waits for a worker that has the row. */
  private ask(method: string, body: object, done = () => {}): void {
    const answer = this.seat.call(method, `/outbox/${this.job.id}`, body);
    this.asked.push(answer);
    void answer.then(({ status }) => {
      this.answers += 1;
      if (status === 200) done();
    });
  }

  async isDone(): Promise<boolean> {
    await this.timeComes();
    const { status, reason } = await this.now();
    return status !== 'pending' || (reason?.includes(DOUBT) ?? false);
  }

  async missing(): Promise<string[]> {
    return (await this.isDone()) ? [] : [`${this.subject} waits still`];
  }

  private now(): Promise<Job> {
    return this.seat.account.api.ok<Job>(`/job-statuses/${this.job.id}`);
  }

  async faults(found: Found): Promise<string[]> {
    const { status, reason } = await this.now();
    const outbox = await this.seat.account.api.ok<Job[]>('/outbox');
    if (this.answers < this.asked.length) return [`${this.subject}: who wants it cancelled or moved has no answer`];
    const answers = await Promise.all(this.asked);
    const accepted = this.seat.accepted(this.subject);
    const doubt = status === 'pending' && (reason?.includes(DOUBT) ?? false);
    const faults = answers.filter((answer) => ![200, 409].includes(answer.status)).map(({ text }) => text);
    if (accepted > 1) faults.push(`${this.subject} was sent ${accepted} times`);
    if (this.cancelled !== (status === 'cancelled')) faults.push(`${this.subject} was cancelled, and is ${status}`);
    if (status === 'cancelled' && accepted > 0) faults.push(`${this.subject} was cancelled, and sent`);
    if (status === 'successful' && accepted !== 1) faults.push(`${this.subject} is said to be sent`);
    if (status === 'failed') faults.push(`${this.subject} failed: ${reason}`);
    const told = status === 'successful' ? 200 : doubt ? 504 : 0;
    faults.push(...misplaced(found, this.subject, told, this.wish.wasDraft));
    const waits = outbox.some(({ id }) => id === this.job.id);
    const shown = found.view.messages.some((message) => message['subject'] === this.subject && 'send_at' in message);
    if (shown !== (waits && this.wish.wasDraft)) faults.push(`${this.subject} waits in the outbox: ${waits}`);
    if (waits && accepted > 0) faults.push(`${this.subject} was sent, and waits to be sent`);
    if (status === 'pending' && !doubt) faults.push(`${this.subject} waits still: ${reason}`);
    return faults;
  }
}

async function sendLater(seat: Seat, random: Random): Promise<Intention> {
  const subject = seat.newName('Sent later');
  const waiting = await Waiting.begin(seat, random, subject);
  // Sometimes its copy is on its way to the folder of drafts still.
  if (random.chance(0.7)) await seat.rest();
  const cancels = random.chance(0.5);
  return {
    act: () => waiting.becomesDue(),
    again: async () => (cancels ? waiting.cancel() : waiting.move()),
    done: () => waiting.isDone(),
    missing: () => waiting.missing(),
    faults: (found) => waiting.faults(found),
  };
}

/** Which of the two is first is chance. */
async function cancelDue(seat: Seat, random: Random): Promise<Intention> {
  const subject = seat.newName('Cancelled');
  const waiting = await Waiting.begin(seat, random, subject);
  const after = random.int(CLOCK_MS / 3, CLOCK_MS);
  return {
    act: async () => {
      await waiting.becomesDue();
      await pause(after);
      waiting.cancel();
    },
    done: () => waiting.isDone(),
    missing: () => waiting.missing(),
    faults: (found) => waiting.faults(found),
  };
}

export const laterDeeds: readonly Deed[] = [
  { name: 'send later', server: 'full', intend: sendLater },
  { name: 'send later, no UIDPLUS', server: 'plain', intend: sendLater },
  {
    name: 'cancel what is due',
    server: 'full',
    pointsOf: { deed: 'send later', kind: 'send later' },
    intend: cancelDue,
  },
];
