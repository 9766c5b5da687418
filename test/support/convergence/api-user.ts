import { randomUUID } from 'node:crypto';

import type { Random } from '../../bench/mailbox/random.js';
import type { ApiAnswer } from '../api-client.js';
import type { ConnectedAccount } from '../product.js';

import type { Ledger, Sending } from './ledger.js';
import { now, patiently } from './patience.js';

/** One thing an application does for the user. `act` returns a few words on it. */
export interface ApiOperation {
  readonly name: string;
  readonly act: (user: ApiUser) => Promise<string>;
}

export interface ApiUserOptions {
  readonly name: string;
  readonly account: ConnectedAccount;
  readonly address: string;
  readonly random: Random;
  readonly ledger: Ledger;
}

/** Said of a request under the same key, not of the message. */
const IN_PROGRESS = 'is being processed';
/** An application waits for an answer so long. */
const ANSWER_MS = 5000;
const OWN_TAG = 'urgent';

/** An application at work in a mailbox, which does whatever chance tells it. */
export class ApiUser {
  /** What it did, one line each, for whoever reads about a difference. */
  readonly diary: string[] = [];
  private marks = 0;
  private tagged = false;

  constructor(private readonly options: ApiUserOptions) {}

  /** Does one thing. It may be refused, or its answer may be lost: only sending is asked for again. */
  async step(repertoire: readonly (readonly [ApiOperation, number])[]): Promise<void> {
    const { name, act } = this.options.random.weighted(repertoire);
    let outcome = '';
    try {
      outcome = await act(this);
    } catch (error) {
      outcome = `refused: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.note(`${name} ${outcome}`);
  }

  get random(): Random {
    return this.options.random;
  }

  get ledger(): Ledger {
    return this.options.ledger;
  }

  /** The user's own address: what is sent there comes back. */
  get address(): string {
    return this.options.address;
  }

  /** Found in no other message. */
  newMark(): string {
    return `${this.options.name}-${(this.marks += 1)}`;
  }

  list<T>(path: string): Promise<T[]> {
    return this.options.account.api.ok<T[]>(path);
  }

  /** @throws Error with the answer unless it is a 200 */
  async done<Body>(method: string, path: string, body: object): Promise<Body> {
    const { status, text, json } = await this.call(method, path, body);
    if (status !== 200) throw new Error(`${method} ${path} ${JSON.stringify(body)} answered ${status}: ${text}`);
    return json as Body;
  }

  /** The user's own tag, made when there is none. Only API v1 has tags. @returns its name */
  async ownTag(): Promise<string> {
    if (!this.tagged) await this.call('POST', `${this.options.account.v1}/tags`, { name: OWN_TAG });
    this.tagged = true;
    return OWN_TAG;
  }

  async changeTags(threadId: string, change: object): Promise<void> {
    await this.done('PUT', `${this.options.account.v1}/threads/${threadId}`, change);
  }

  /** @param mark what it can be known by, when it is no draft */
  async send(body: Sending['body'], mark: string | null): Promise<string> {
    const sending: Sending = { key: randomUUID(), body, mark, status: 0, messageId: null };
    this.ledger.sendings.push(sending);
    return this.ask(sending);
  }

  /**
   * Asks again for what had no answer, or one of which nobody knows who gave it, until what became of it is told.
   * @param tired called when there is no answer still
   */
  async askAgain(tired: () => Promise<void>): Promise<void> {
    for (const sending of this.ledger.sendings.filter(({ status }) => status !== 200)) {
      await patiently(async () => {
        const told = await this.ask(sending);
        if (sending.status === 500 || told.includes(IN_PROGRESS)) {
          await tired();
          throw new Error(told);
        }
        this.note(`asked again: ${told}`);
      });
    }
  }

  private async ask(sending: Sending): Promise<string> {
    const { key, body } = sending;
    sending.status = 0;
    const { status, text, json } = await this.call('POST', '/send', body, { 'idempotency-key': key });
    sending.status = status;
    if (status === 200) sending.messageId = (json as { id: string }).id;
    return `${body.draft_id ?? sending.mark}: ${sending.messageId ?? `${status} ${text}`}`;
  }

  private call(method: string, path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.options.account.api.send(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }

  private note(words: string): void {
    this.diary.push(`${now()} ${this.options.name} ${words}`);
  }
}
