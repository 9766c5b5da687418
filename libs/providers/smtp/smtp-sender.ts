import { Readable } from 'node:stream';

import SMTPConnection from 'nodemailer/lib/smtp-connection';

import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import {
  type Envelope,
  type Failures,
  type MailSender,
  type Refusal,
  SendFailure,
  type SendStage,
} from '#libs/providers/contracts/mail-sender.js';

import type { SmtpOptions } from './verify-smtp.js';

const CHUNK = 65_536;
const CONNECT_MS = 30_000;
/** Servers that look into mail take their time over the end of it; RFC 5321 4.5.3.2 would give them ten minutes. */
const SILENCE_MS = 120_000;

interface RawError {
  readonly responseCode?: number;
  readonly response?: string;
  readonly message?: string;
  readonly recipient?: string;
  readonly rejectedErrors?: readonly RawError[];
}

/** Sends by SMTP submission (RFC 6409), one connection a message. */
export class SmtpSender implements MailSender {
  constructor(
    private readonly settings: ServerSettings,
    private readonly password: string,
    private readonly options: Pick<SmtpOptions, 'connect'>,
  ) {}

  async send(envelope: Envelope, source: Buffer, committing: () => Promise<void>): Promise<Failures> {
    const { host, port, username } = this.settings;
    const socket = await this.options.connect(host, port, CONNECT_MS).catch((error: unknown) => fail('connect', error));
    const connection = new SMTPConnection({ ...this.connectionOptions(), connection: socket });
    // It says so where it is waited for as well; unheard, the event would end the process.
    connection.on('error', () => {});
    let committed = false;
    const body = Readable.from(
      chunksOf(source, async () => {
        await committing();
        committed = true;
      }),
    );
    try {
      await step('connect', connection, (done) => connection.connect(done));
      await step('sign-in', connection, (done) =>
        connection.login({ user: username, pass: this.password }, (error) => done(error)),
      );
      const info = await step<SMTPConnection.SentMessageInfo>('envelope', connection, (done) =>
        connection.send({ from: envelope.from, to: [...envelope.to], size: source.length }, body, done),
      );
      return failuresOf(info.rejectedErrors ?? []);
    } catch (error) {
      throw committed && error instanceof SendFailure
        ? new SendFailure('data', error.refusal, { ...error.options, unknown: error.refusal === null })
        : error;
    } finally {
      body.destroy();
      connection.close();
      socket.destroy();
    }
  }

  private connectionOptions(): SMTPConnection.Options {
    const { host, port, security, verifyCertificate } = this.settings;
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
}

/** Read once the server has asked for the message; what comes after the last chunk runs before its end is sent. */
async function* chunksOf(source: Buffer, last: () => Promise<void>): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.length; at += CHUNK) yield source.subarray(at, at + CHUNK);
  await last();
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

function fail(stage: SendStage, error: unknown): never {
  throw failure(stage, error);
}

function failure(stage: SendStage, error: unknown): SendFailure {
  if (error instanceof SendFailure) return error;
  const raw: RawError = typeof error === 'object' && error !== null ? error : {};
  const failures = failuresOf(raw.rejectedErrors ?? []);
  return new SendFailure(stage, refusalOf(raw), { failures, cause: error });
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
