import { DomainError } from '#libs/common/errors.js';
import type { DetectedProvider } from '#libs/providers/detect/detect-provider.js';
import type { RemoteRequest } from '#libs/queues/remote-call-catalogue.js';

import { missingFields, type ProviderSettings } from './connect-request.js';

export type PasswordAccount = RemoteRequest<'credentials.verify'> & { readonly provider: string };

type Server = PasswordAccount['settings']['imap'];
type Kind = 'imap' | 'smtp';

const PORTS = { imap: { tls: 993, plain: 143 }, smtp: { tls: 465, plain: 587 } } as const;
const PROVIDER_WITHOUT_DRIVER = /^(office365|outlook|hotmail|live|msn|exchange|eas|graph|nylas)$/;

export function notAvailable(provider: string): DomainError {
  return new DomainError(501, 'api_error', `Connecting ${provider} accounts by OAuth is not available yet.`);
}

/** Whether these settings are for OAuth, or for a provider that takes nothing else. */
export function needsOauth(provider: string, settings: ProviderSettings): boolean {
  const hasToken = Object.keys(settings).some((key) => key.endsWith('_refresh_token'));
  return hasToken || (PROVIDER_WITHOUT_DRIVER.test(provider) && !settings['imap_host']);
}

/**
 * Servers and password from what the client sent, filled up with what was detected.
 * @throws DomainError 400 naming what is missing or wrong
 */
export function passwordAccount(
  provider: string,
  email: string,
  settings: ProviderSettings,
  detected: DetectedProvider | null,
): PasswordAccount {
  const imapPassword = settings['imap_password'] ?? settings['password'];
  const missing = [
    ...(settings['imap_host'] || detected ? [] : ['imap_host', 'smtp_host']),
    ...(imapPassword ? [] : [provider === 'imap' ? 'imap_password' : 'password']),
  ];
  if (missing.length > 0 || !imapPassword) throw missingFields(missing);
  const known = settings['imap_host'] ? null : detected;
  const imap = known?.settings.imap ?? serverOf('imap', settings, email);
  const smtp = known?.settings.smtp ?? (settings['smtp_host'] ? serverOf('smtp', settings, imap.username) : null);
  const verifyCertificate = !isFalse(settings['verify_certificate']);
  return {
    kind: 'imap',
    provider,
    settings: { imap: { ...imap, verifyCertificate }, smtp: smtp && { ...smtp, verifyCertificate } },
    secret: { kind: 'password', imapPassword, smtpPassword: settings['smtp_password'] ?? imapPassword },
  };
}

function serverOf(kind: Kind, settings: ProviderSettings, fallbackUser: string): Server {
  const port = portOf(kind, settings[`${kind}_port`]);
  const security = securityOf(kind, port, settings);
  return {
    host: settings[`${kind}_host`] ?? '',
    port: port ?? (security === 'tls' ? PORTS[kind].tls : PORTS[kind].plain),
    security,
    username: settings[`${kind}_username`] ?? fallbackUser,
    verifyCertificate: true,
  };
}

/** Without a word about it: TLS, from the start on the port for that, else by STARTTLS. */
function securityOf(kind: Kind, port: number | null, settings: ProviderSettings): Server['security'] {
  const given = settings[`${kind}_security`]?.toLowerCase();
  if (given === 'tls' || given === 'starttls' || given === 'none') return given;
  if (given !== undefined) throw invalid(`${kind}_security must be tls, starttls or none`);
  if (port === null || port === PORTS[kind].tls) return 'tls';
  return isFalse(settings['ssl_required']) ? 'none' : 'starttls';
}

function portOf(kind: Kind, text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid(`${kind}_port must be a port number`);
  return port;
}

function isFalse(text: string | undefined): boolean {
  return /^(false|0|no)$/i.test(text ?? '');
}

function invalid(message: string): DomainError {
  return new DomainError(400, 'api_error', message);
}
