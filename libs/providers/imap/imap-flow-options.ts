import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

import type { ImapFlowOptions } from 'imapflow';

import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';

/** Limits, policies and deadlines of every connection. @param addresses to connect to, when the host was resolved before */
export function flowOptions(
  settings: ServerSettings,
  password: string,
  addresses: LookupAddress[] | undefined,
  connectMs: number,
): ImapFlowOptions {
  return {
    host: settings.host,
    port: settings.port,
    secure: settings.security === 'tls',
    ...(settings.security === 'tls' ? {} : { doSTARTTLS: settings.security === 'starttls' }),
    auth: { user: settings.username, pass: password },
    tls: {
      rejectUnauthorized: settings.verifyCertificate,
      ...(addresses && isIP(settings.host) === 0 ? { lookup: answering(addresses) } : {}),
    },
    clientInfo: { name: 'Postrider', vendor: 'Postrider' },
    qresync: true,
    disableAutoIdle: true,
    disableCompression: true,
    disableIMAP4rev2: true,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    // Above maxIdleTime: silence while idling is normal, and our own deadlines watch commands.
    socketTimeout: 10 * 60_000,
    maxIdleTime: 9 * 60_000,
    maxLineLength: 1_048_576,
    maxLiteralSize: 100 * 1_048_576,
    maxResponseSize: 200 * 1_048_576,
    // Listings ask for 20,000 uids at a time; parsing much more at once would hold up the event loop.
    maxResponseTokens: 30_000,
  };
}

/** A lookup that gives only addresses checked before, so that a name cannot change its mind in between. */
function answering(addresses: LookupAddress[]): LookupFunction {
  return (_host, options, done) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family;
    const fitting = family ? addresses.filter((entry) => entry.family === family) : addresses;
    const first = fitting[0];
    if (!first) done(new Error('no address of this family'), '', 0);
    else if (options.all) done(null, fitting);
    else done(null, first.address, first.family);
  };
}
