import { setTimeout as sleep } from 'node:timers/promises';

import { Inject, Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { DomainError } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';
import { Reader } from '#libs/database/reader.js';
import type { SendState } from '#libs/database/send.entity.js';
import type { OutgoingContent, SendOutcome } from '#libs/domain/send/outgoing.js';
import { type Failures, type MailSender, SendFailure } from '#libs/providers/contracts/mail-sender.js';

import { Connections } from '../connections.js';

import { type Outgoing, OutgoingLetters } from './outgoing-letters.js';
import { filesItself } from './self-filing.js';
import { sendAnswer } from './send-answer.js';
import { noteFailure, saidLate } from './send-failure.js';
import { type ClaimedSend, SendStore, settleSend } from './send-store.js';
import { becomeSent } from './sent-message.js';

const RENEW_MS = 5000;
const SETTLE_ATTEMPTS = 10;
const SETTLE_PAUSE_MS = 1000;

/** Hands messages over to the provider: each once at most, whoever dies meanwhile. */
@Injectable()
export class Sending {
  constructor(
    private readonly sends: SendStore,
    private readonly letters: OutgoingLetters,
    private readonly connections: Connections,
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** @throws DomainError what the caller is told; then nothing was sent, or nobody knows */
  async run(accountId: string, sendId: string): Promise<SendOutcome> {
    const send = await this.sends.claim(accountId, sendId);
    if (!send) throw new DomainError(409, 'invalid_request_error', 'The message is being sent already.');
    return this.carryOut(send);
  }

  /** Sends the next of those messages that are due. How it went is written down. @returns false when none is due */
  async runDue(): Promise<boolean> {
    const send = await this.sends.claimDue();
    if (!send) return false;
    await this.carryOut(send).catch((error: unknown) => {
      if (!(error instanceof DomainError)) throw error;
    });
    return true;
  }

  private async carryOut(send: ClaimedSend): Promise<SendOutcome> {
    const renewing = setInterval(() => {
      this.sends.renew(send).catch((error: unknown) => this.logger.warn({ err: error }, 'a send was not renewed'));
    }, RENEW_MS);
    try {
      const { failures, content } = await this.attempt(send).catch(async (error: unknown) => {
        throw await this.fail(send, error);
      });
      // Whatever happens from here on, it has been sent. What cannot be written down is found by the sweep, as unknown.
      await this.settleSurely({ ...send, content }, failures);
      return { messageId: send.messageId, failures: failures as SendOutcome['failures'] };
    } finally {
      clearInterval(renewing);
    }
  }

  /** What dead workers left: what may have been sent is never tried again. */
  async sweep(): Promise<void> {
    for (const send of await this.sends.abandoned()) {
      // As it was seen: one that moved on meanwhile is alive.
      const lost = new SendFailure('data', null, { unknown: send.state === 'committing' });
      await this.fail(send, lost, [send.state]).catch((error: unknown) => {
        const { accountId, id } = send;
        this.logger.error({ err: error, accountId, sendId: id }, 'what a dead worker left was not settled');
      });
    }
  }

  private async attempt(send: ClaimedSend): Promise<{ failures: Failures; content: OutgoingContent | null }> {
    if (send.retryUntil) await this.mustRun(send.accountId);
    const [letter, sender] = await Promise.all([this.letters.read(send), this.connections.senderFor(send.accountId)]);
    return { failures: await this.handOver(send, letter, sender), content: letter.content };
  }

  private async handOver(send: ClaimedSend, letter: Outgoing, sender: MailSender): Promise<Failures> {
    const to = [...new Set([...letter.to, ...letter.cc, ...letter.bcc].map(({ email }) => email))];
    const envelope = { from: letter.from[0]?.email ?? '', to };
    const read = letter.content?.raw ? letter.content : null;
    const attempt = () => sender.send(envelope, letter.bytes, () => this.sends.commit(send, read));
    try {
      return await attempt();
    } catch (error) {
      // Nothing was said yet that could be done twice.
      const again = error instanceof SendFailure && error.stage === 'connect' && error.refusal === null;
      if (!again) throw error;
      return attempt();
    }
  }

  /** A database that is away for a moment must not cost the record of what was sent. */
  private async settleSurely(send: ClaimedSend, failures: Failures): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await this.settle(send, failures);
      } catch (error) {
        this.logger.error(
          { err: error, accountId: send.accountId, sendId: send.id },
          'a sent message was not recorded',
        );
        if (attempts >= SETTLE_ATTEMPTS) throw error;
        await sleep(SETTLE_PAUSE_MS);
      }
    }
  }

  private async settle(send: ClaimedSend, failures: Failures): Promise<void> {
    const { accountId, id, messageId, content, provider } = send;
    const work = async (tx: Tx) => {
      // Its copy may have been found already, while this worker was taken for dead.
      const before = await settleSend(tx, id, failures as SendOutcome['failures']);
      if (before === null) return;
      if (before === 'unknown') await noteEvents(tx, [saidLate(send, 'it was sent')]);
      await becomeSent(tx, messageId, content, { saveCopy: !filesItself(provider) });
    };
    await this.writer.write(accountId, work, { eager: true });
  }

  /** The account may have been stopped since it was scheduled. Somebody may start it again. */
  private async mustRun(accountId: string): Promise<void> {
    const [account] = await this.reader.rows<{ runs: boolean }>(
      `SELECT sync_enabled AND sync_state <> 'invalid' AS runs FROM accounts WHERE id = $1`,
      [accountId],
      'account-runs',
    );
    if (!account?.runs) throw new DomainError(503, 'api_error', 'The account is stopped, or must be connected again.');
  }

  /** Writes down how it ended. @returns what the caller is told */
  private async fail(send: ClaimedSend, error: unknown, from?: readonly SendState[]): Promise<unknown> {
    const known = error instanceof SendFailure ? sendAnswer(error) : error;
    const told =
      known instanceof DomainError ? known : new DomainError(503, 'api_error', 'Sending failed inside the engine.');
    if (known !== told) this.logger.error({ err: error, accountId: send.accountId }, 'sending failed');
    const unknown = error instanceof SendFailure && error.options.unknown === true;
    // Who asked can see later what became of it.
    const answer = unknown
      ? new DomainError(told.status, told.type, told.message, { ...told.details, job_status_id: send.id })
      : told;
    const failed = {
      error: answer,
      unknown,
      // What the server says late counts more than that nobody knows.
      from: from ?? (unknown ? ['committing'] : ['sending', 'committing', 'unknown']),
    } as const;
    await this.writer.write(send.accountId, (tx) => noteFailure(tx, send, failed));
    return answer;
  }
}
