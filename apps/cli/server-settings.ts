import type { MailSettings, ServerSettings, TransportSecurity } from '#libs/providers/contracts/connection-settings.js';
import type { DetectedProvider } from '#libs/providers/detect/detect-provider.js';

import { CommandError } from './terminal.js';

/** What was said on the command line about one server. */
export interface ServerFlags {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly security?: string | undefined;
  readonly username?: string | undefined;
}

const PORTS = { imap: { tls: 993, starttls: 143, none: 143 }, smtp: { tls: 465, starttls: 587, none: 587 } } as const;
const SECURITIES: readonly string[] = ['tls', 'starttls', 'none'] satisfies TransportSecurity[];

/**
 * Flags first, then what was detected, then what is usual. Null when there is no host.
 * @throws CommandError naming the flag
 */
export function serverFrom(
  kind: 'imap' | 'smtp',
  flags: ServerFlags,
  detected: ServerSettings | null,
  email: string,
  verifyCertificate: boolean,
): ServerSettings | null {
  const given = flags.host ? null : detected;
  const host = flags.host ?? given?.host;
  if (!host) return null;
  const port = flags.port === undefined ? given?.port : portOf(kind, flags.port);
  const security = flags.security === undefined ? given?.security : securityOf(kind, flags.security);
  const settled = security ?? usualSecurity(kind, port);
  return {
    host,
    port: port ?? PORTS[kind][settled],
    security: settled,
    username: flags.username ?? given?.username ?? email,
    verifyCertificate,
  };
}

/** @throws CommandError when no IMAP host is known */
export function settingsFrom(
  email: string,
  imap: ServerFlags,
  smtp: ServerFlags,
  detected: DetectedProvider | null,
  verifyCertificate: boolean,
): MailSettings {
  const mail = serverFrom('imap', imap, detected?.settings.imap ?? null, email, verifyCertificate);
  if (!mail)
    throw new CommandError(
      `The mail servers of ${email} could not be detected: name them with --imap-host and --smtp-host`,
    );
  return { imap: mail, smtp: serverFrom('smtp', smtp, detected?.settings.smtp ?? null, email, verifyCertificate) };
}

function portOf(kind: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CommandError(`--${kind}-port must be a port number`);
  return port;
}

function securityOf(kind: string, text: string): TransportSecurity {
  if (!SECURITIES.includes(text)) throw new CommandError(`--${kind}-security must be tls, starttls or none`);
  return text as TransportSecurity;
}

/** Never none by itself: that has to be said. */
function usualSecurity(kind: 'imap' | 'smtp', port: number | undefined): TransportSecurity {
  return port !== undefined && port !== PORTS[kind].tls ? 'starttls' : 'tls';
}
