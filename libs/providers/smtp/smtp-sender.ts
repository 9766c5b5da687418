import type { MessageBytes } from '#libs/mime/message-bytes.js';
import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import { type Envelope, type Failures, type MailSender, SendFailure } from '#libs/providers/contracts/mail-sender.js';

import { SmtpSession } from './smtp-session.js';
import type { SmtpOptions } from './verify-smtp.js';

/** Providers allow an account few at a time (Office 365: three). */
const MOST_CONNECTIONS = 3;
/** A connection is kept for the next message for so long, and for so many. */
const IDLE_MS = 20_000;
const MOST_MESSAGES = 100;

interface Kept {
  readonly session: SmtpSession;
  readonly timer: NodeJS.Timeout;
}

/** Sends by SMTP submission (RFC 6409), over connections that stay open for a while. */
export class SmtpSender implements MailSender {
  private readonly kept: Kept[] = [];
  private readonly waiting: (() => void)[] = [];
  private busy = 0;
  private closed = false;

  constructor(
    private readonly settings: ServerSettings,
    private readonly password: string,
    private readonly options: Pick<SmtpOptions, 'connect'>,
  ) {}

  async send(envelope: Envelope, source: MessageBytes, committing: () => Promise<void>): Promise<Failures> {
    if (this.busy >= MOST_CONNECTIONS) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.busy += 1;
    try {
      return await this.byAny((session) => session.send(envelope, source, committing));
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.busy -= 1;
    }
  }

  close(): void {
    this.closed = true;
    for (const { session, timer } of this.kept.splice(0)) {
      clearTimeout(timer);
      session.close();
    }
  }

  private async byAny<T>(work: (session: SmtpSession) => Promise<T>): Promise<T> {
    const known = this.take();
    if (known) {
      try {
        return await this.by(known, work);
      } catch (error) {
        if (!hadEnded(known, error)) throw error;
      }
    }
    return this.by(await SmtpSession.open(this.settings, this.password, this.options), work);
  }

  private async by<T>(session: SmtpSession, work: (session: SmtpSession) => Promise<T>): Promise<T> {
    try {
      const result = await work(session);
      this.keep(session);
      return result;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  private take(): SmtpSession | null {
    for (let last = this.kept.pop(); last; last = this.kept.pop()) {
      clearTimeout(last.timer);
      if (last.session.usable) return last.session;
      last.session.close();
    }
    return null;
  }

  private keep(session: SmtpSession): void {
    if (this.closed || session.asked >= MOST_MESSAGES || !session.usable) return session.close();
    const forget = () => {
      const at = this.kept.findIndex((each) => each.session === session);
      if (at >= 0) this.kept.splice(at, 1);
      session.close();
    };
    this.kept.push({ session, timer: setTimeout(forget, IDLE_MS).unref() });
  }
}

/** Servers end connections on which nothing was said for a while: then the message is sent by another one. */
function hadEnded(session: SmtpSession, error: unknown): boolean {
  if (session.begun || !(error instanceof SendFailure)) return false;
  return (
    error.stage === 'envelope' &&
    (error.refusal === null ? error.options.mostBytes === undefined : error.refusal[0] === 421)
  );
}
