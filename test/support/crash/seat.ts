import type { ImapFlow } from 'imapflow';

import type { Random } from '../../bench/mailbox/random.js';
import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { ApiAnswer } from '../api-client.js';
import { type ApiMessage, type ApiView, asMailState, contradictions, readApi } from '../convergence/api-view.js';
import { differences } from '../convergence/mail-state.js';
import { type Mailbox, readMailbox, stateOf } from '../convergence/mailbox-truth.js';
import { eventually } from '../eventually.js';
import { letter } from '../letters.js';
import { type ConnectedAccount, PASSWORD, type Product } from '../product.js';

import type { AcceptedMail } from './accepted-mail.js';
import { withoutFaults } from './without-faults.js';

const LETTERS = 4;
const REST_MS = 60_000;
/** Of one deed, and more: those of earlier ones were seen to be settled. */
const MOST_ACTIONS = 50;

/** Everything that can be seen of an account, once it is quiet. */
export interface Found {
  readonly view: ApiView;
  readonly mailbox: Mailbox;
}

/** One mailbox and its owner, who acts through the API; a mail program beside them looks, and is the worker that is late. */
export class Seat {
  /** Deeds that were done here. */
  uses = 0;
  private names = 0;

  private constructor(
    private readonly product: Product,
    private readonly user: string,
    readonly account: ConnectedAccount,
    private readonly mail: ImapFlow,
    private readonly post: AcceptedMail,
  ) {}

  static async take(product: Product, dovecot: Dovecot, user: string, post: AcceptedMail): Promise<Seat> {
    product.addUser(user);
    if (dovecot !== product.dovecot) dovecot.addUser(`${user}@example.com`, PASSWORD);
    const mail = await product.mailProgram(user, dovecot);
    for (let number = 1; number <= LETTERS; number += 1) {
      await mail.append('INBOX', letter({ name: `${user}-${number}` }));
    }
    await mail.mailboxCreate('Work');
    const account = await product.connect(user, { imap_port: dovecot.imapPort });
    const isRead = async () =>
      (await account.api.ok<{ sync_state: string }>('/account')).sync_state === 'running' &&
      (await account.api.ok<unknown[]>('/messages')).length === LETTERS;
    await eventually(`mail of ${user}`, isRead, 120_000);
    return new Seat(product, user, account, mail, post);
  }

  async leave(): Promise<void> {
    this.mail.close();
    const { code, complaint } = await this.product.installation.command(['account', 'remove', this.account.id]);
    if (code !== 0) throw new Error(complaint);
  }

  get address(): string {
    return `${this.user}@example.com`;
  }

  /** Used nowhere else in this mailbox. */
  newName(what: string): string {
    return `${what} ${this.user} ${(this.names += 1)}`;
  }

  call(method: string, path: string, body: object | string, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.account.api.send(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** @throws Error with the answer unless it is a 200 */
  async done<Body>(method: string, path: string, body: object): Promise<Body> {
    const { status, text, json } = await this.call(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return json as Body;
  }

  /** What lies in the mailbox since the beginning, wherever it lies now. */
  async letters(): Promise<ApiMessage[]> {
    const messages = await this.account.api.ok<ApiMessage[]>('/messages?view=expanded&limit=1000');
    return messages.filter(({ headers }) => headers['Message-Id'].includes('@mail.example'));
  }

  async someLetters(random: Random, most: number): Promise<ApiMessage[]> {
    const letters = await this.letters();
    const first = random.int(0, letters.length - 1);
    return [...letters.slice(first), ...letters.slice(0, first)].slice(0, random.int(1, most));
  }

  /** How often the SMTP server has accepted something with this subject. */
  accepted(subject: string): number {
    return this.post.count(subject);
  }

  /** The source of a draft's copy. */
  async draftSource(id: string): Promise<Buffer> {
    await this.mail.mailboxOpen('Drafts');
    const found = await this.mail.search({ header: { 'message-id': `${id}-` } }, { uid: true });
    const copy =
      found && found.length > 0 && (await this.mail.fetchOne(String(found[0]), { source: true }, { uid: true }));
    if (!copy || !copy.source) throw new Error(`there is no copy of draft ${id}`);
    return copy.source;
  }

  /** As a worker does that hung in APPEND, was taken for dead, and wakes. */
  async saveLate(source: Buffer): Promise<void> {
    const [, date = ''] = /^Date: (.*)\r$/m.exec(source.toString('latin1')) ?? [];
    await this.mail.append('Drafts', source, ['\\Draft', '\\Seen'], new Date(date));
  }

  /** Whether a copy too many was removed. */
  async tidied(messageId: string): Promise<boolean> {
    const jobs = await this.account.api.ok<Record<string, string>[]>(`/job-statuses?limit=${MOST_ACTIONS}`);
    return jobs.some((job) => job['action'] === 'remove_surplus_copy' && job['message_id'] === messageId);
  }

  query<Row>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    return this.product.installation.query<Row>(sql, values);
  }

  /** What is not done yet, or never will be. What became of sending is told to those who ask again. */
  async unsettled(): Promise<string[]> {
    const jobs = await this.account.api.ok<{ status: string; action: string }[]>(`/job-statuses?limit=${MOST_ACTIONS}`);
    const left = jobs.filter(({ action, status }) => action !== 'send_message' && status !== 'successful');
    return left.map(({ action, status }) => `${action} is ${status}`);
  }

  async rest(): Promise<void> {
    const left = await withoutFaults(() => this.unsettled(), REST_MS);
    if (left.length > 0) throw new Error(`${this.user} comes to no rest: ${left.join()}`);
  }

  async look(): Promise<Found> {
    return { mailbox: await readMailbox(this.mail), view: await readApi(this.account.api) };
  }

  /** What is not as it should be whatever was done. */
  static faults({ mailbox, view }: Found): string[] {
    return [...differences(stateOf(mailbox), asMailState(view)), ...contradictions(view), ...doubles(mailbox)];
  }
}

function doubles({ copies }: Mailbox): string[] {
  const places = copies.map(({ folder, name }) => `${name} lies twice in ${folder}`);
  return places.filter((place, index) => places.indexOf(place) !== index);
}
