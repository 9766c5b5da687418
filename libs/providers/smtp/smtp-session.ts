import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

import SMTPConnection from 'nodemailer/lib/smtp-connection';

import type { MessageBytes } from '#libs/mime/message-bytes.js';
import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import {
  type Envelope,
  type Failures,
  type Refusal,
  SendFailure,
  type SendStage,
} from '#libs/providers/contracts/mail-sender.js';

import { isUntrusted } from './smtp-errors.js';
import type { SmtpOptions } from './verify-smtp.js';

const CONNECT_MS = 30_000;
/** Servers that look into mail take their time over the end of it; RFC 5321 4.5.3.2 would give them ten minutes. */
const SILENCE_MS = 120_000;

interface RawError {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly message?: string;
  readonly recipient?: string;
  readonly rejectedErrors?: readonly RawError[];
}

/** A connection that is signed in, and sends one message after the other. */
export class SmtpSession {
  /** Messages it was asked to send. */
  asked = 0;
  /** The server wanted the bytes of the last one. */
  begun = false;
  private ended = false;

  private constructor(
    private readonly connection: SMTPConnection,
    private readonly socket: Socket,
  ) {
    // It says so where it is waited for as well; unheard, the event would end the process.
    connection.on('error', () => (this.ended = true));
    connection.on('end', () => (this.ended = true));
  }

  /** @throws SendFailure */
  static async open(
    settings: ServerSettings,
    password: string,
    { connect }: Pick<SmtpOptions, 'connect'>,
  ): Promise<SmtpSession> {
    const { host, port, username } = settings;
    const socket = await connect(host, port, CONNECT_MS).catch((error: unknown) => {
      throw failure('connect', error);
    });
    const connection = new SMTPConnection({ ...connectionOptions(settings), connection: socket });
    const session = new SmtpSession(connection, socket);
    try {
      await step('connect', connection, (done) => connection.connect(done));
      await step('sign-in', connection, (done) =>
        connection.login({ user: username, pass: password }, (error) => done(error)),
      );
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  get usable(): boolean {
    return !this.ended && !this.socket.destroyed;
  }

  /** As `MailSender.send`. After a failure the session is of no use. */
  async send(envelope: Envelope, source: MessageBytes, committing: () => Promise<void>): Promise<Failures> {
    this.asked += 1;
    this.begun = false;
    let committed = false;
    const bytes = async function* (this: SmtpSession) {
      this.begun = true;
      yield* source.open();
      // Everything is out but the end.
      await committing();
      committed = true;
    };
    const body = Readable.from(bytes.call(this), { objectMode: false });
    try {
      const info = await step<SMTPConnection.SentMessageInfo>('envelope', this.connection, (done) =>
        this.connection.send({ from: envelope.from, to: [...envelope.to], size: source.size }, body, done),
      );
      return failuresOf(info.rejectedErrors ?? []);
    } catch (error) {
      throw committed && error instanceof SendFailure
        ? new SendFailure('data', error.refusal, { ...error.options, unknown: error.refusal === null })
        : error;
    } finally {
      body.destroy();
    }
  }

  close(): void {
    this.ended = true;
    this.connection.close();
    this.socket.destroy();
  }
}

function connectionOptions({ host, port, security, verifyCertificate }: ServerSettings): SMTPConnection.Options {
  return {
    host,
    port,
    // Not the name of this machine.
    name: '[127.0.0.1]',
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: verifyCertificate },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  };
}

type Done<T> = (error?: Error | null, value?: T) => void;

/** One step of the dialogue. A connection that breaks meanwhile ends it. */
function step<T = void>(stage: SendStage, connection: SMTPConnection, work: (done: Done<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const broken = (error?: Error) => reject(failure(stage, error));
    connection.once('error', broken);
    connection.once('end', broken);
    work((error, value) => {
      connection.off('error', broken);
      connection.off('end', broken);
      if (error) reject(failure(stage, error));
      else resolve(value as T);
    });
  });
}

function failure(stage: SendStage, error: unknown): SendFailure {
  if (error instanceof SendFailure) return error;
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const failures = failuresOf(raw.rejectedErrors ?? []);
  const [, most] = /^Message size larger than allowed (\d+)$/.exec(raw.message ?? '') ?? [];
  const size = most === undefined ? {} : { mostBytes: Number(most) };
  return new SendFailure(isAboutTls(raw) ? 'secure' : stage, refusalOf(raw), { failures, ...size, cause: error });
}

function isAboutTls({ code, message = '', responseCode }: RawError): boolean {
  if (code === 'ETLS' || /required STARTTLS/.test(message)) return true;
  return !responseCode && isUntrusted(message);
}

function refusalOf({ responseCode, response = '' }: RawError): Refusal | null {
  if (!responseCode) return null;
  return [responseCode, response.replace(/^\d{3}[ -]/, '').slice(0, 500)];
}

function failuresOf(errors: readonly RawError[]): Failures {
  const entries = errors.flatMap((error): [string, Refusal][] => {
    const refusal = refusalOf(error);
    return error.recipient && refusal ? [[error.recipient, refusal]] : [];
  });
  return Object.fromEntries(entries);
}
