import type { Socket } from 'node:net';

import nodemailer from 'nodemailer';

import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';

import { toSmtpProviderError } from './smtp-errors.js';

export interface SmtpOptions {
  /** Opens the plain connection; refuses hosts that may not be reached. */
  readonly connect: (host: string, port: number, timeoutMs: number) => Promise<Socket>;
  /** For connecting, TLS and greeting together, and again for signing in. */
  readonly timeoutMs?: number;
}

/**
 * Connects and signs in; sends nothing.
 * @throws ProviderError; what `connect` threw is its `cause`
 */
export async function verifySmtp(settings: ServerSettings, password: string, options: SmtpOptions): Promise<void> {
  const { timeoutMs = 15_000 } = options;
  let opened: Socket | null = null;
  const transport = nodemailer.createTransport({
    host: settings.host,
    port: settings.port,
    secure: settings.security === 'tls',
    requireTLS: settings.security === 'starttls',
    ignoreTLS: settings.security === 'none',
    auth: { user: settings.username, pass: password },
    // Otherwise a server that offers no AUTH would pass unasked.
    forceAuth: true,
    tls: { rejectUnauthorized: settings.verifyCertificate },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_options, done) => {
      options.connect(settings.host, settings.port, timeoutMs).then(
        (socket) => {
          opened = socket;
          done(null, { connection: socket });
        },
        (error: Error) => done(error, false),
      );
    },
  });
  try {
    await transport.verify();
  } catch (error) {
    throw toSmtpProviderError(error);
  } finally {
    transport.close();
    (opened as Socket | null)?.destroy();
  }
}
