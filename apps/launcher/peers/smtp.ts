import type { AddressInfo } from 'node:net';

import nodemailer from 'nodemailer';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

export interface ReceivedMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
}

export interface SmtpPeerOptions {
  /** Passwords by login. A login is a full address: senders must be who they logged in as. */
  readonly users: Readonly<Record<string, string>>;
  /** Where accepted mail goes: an LMTP server on loopback, e.g. Dovecot's. Without it mail is only kept in `messages`. */
  readonly lmtpPort?: number;
  /** Without it the server speaks plain text only and takes passwords over it. */
  readonly tls?: {
    readonly mode: 'starttls' | 'implicit';
    /** PEM. Left out: a self-signed certificate that no client trusts. */
    readonly certificate?: { readonly key: string; readonly cert: string };
  };
}

export interface SmtpPeer {
  readonly host: string;
  readonly port: number;
  /** Everything accepted so far, oldest first. */
  readonly messages: readonly ReceivedMessage[];
  stop(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 40_000_000;

/** Starts a submission server on a free loopback port: AUTH PLAIN and LOGIN, sender equals login, relay by LMTP. */
export async function startSmtp(options: SmtpPeerOptions): Promise<SmtpPeer> {
  const messages: ReceivedMessage[] = [];
  const deliver = options.lmtpPort === undefined ? null : relayTo(options.lmtpPort);
  const server = new SMTPServer({
    ...transport(options.tls),
    authMethods: ['PLAIN', 'LOGIN'],
    size: MAX_MESSAGE_BYTES,
    maxClients: 100,
    closeTimeout: 500,
    logger: false,
    onAuth(auth, _session, done) {
      const expected = options.users[auth.username ?? ''];
      if (expected !== undefined && auth.password === expected) done(null, { user: auth.username });
      else done(refusal(535, 'Authentication failed'));
    },
    onMailFrom(address, session, done) {
      if (address.address.toLowerCase() === login(session)) done();
      else done(refusal(553, 'Sender address must be the login'));
    },
    onData(stream, session, done) {
      collect(stream)
        .then(async (raw) => {
          if (stream.sizeExceeded) throw refusal(552, 'Message is too big');
          const message = envelopeOf(session, raw);
          await deliver?.(message);
          messages.push(message);
        })
        .then(
          () => done(),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
    },
  });
  // A client that hangs up in the middle of a handshake is its own affair.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    messages,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function transport(tls: SmtpPeerOptions['tls']): SMTPServerOptions {
  if (!tls) return { disabledCommands: ['STARTTLS'], allowInsecureAuth: true };
  return { ...tls.certificate, secure: tls.mode === 'implicit', allowInsecureAuth: false };
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function login(session: SMTPServerSession): string {
  return String(session.user).toLowerCase();
}

function envelopeOf(session: SMTPServerSession, raw: Buffer): ReceivedMessage {
  return {
    from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
    to: session.envelope.rcptTo.map((recipient) => recipient.address),
    raw,
  };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @returns a function that rejects with the LMTP server's answer when no recipient could be served. */
function relayTo(port: number): (message: ReceivedMessage) => Promise<void> {
  const lmtp = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    lmtp: true,
    ignoreTLS: true,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ from, to, raw }) => {
    await lmtp.sendMail({ envelope: { from, to: [...to] }, raw });
  };
}
