import type { EgressGuard } from '#libs/common/egress-guard.js';
import { DomainError, InvalidRequest } from '#libs/common/errors.js';
import type { GrantSecret, MailSettings, ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { verifySmtp } from '#libs/providers/smtp/verify-smtp.js';

import type { DriverRegistry } from './driver-registry.js';

export interface CredentialCheck {
  readonly kind: string;
  readonly settings: MailSettings;
  readonly secret: GrantSecret;
}

type Server = 'imap' | 'smtp';

const CONNECT_MS = 12_000;
const STALL_MS = 15_000;

/**
 * Signs in at both servers and out again; sends and changes nothing.
 * @returns how many folders the mailbox has
 * @throws DomainError with a sentence for the person who typed the settings; 503 when trying again may help
 */
export async function verifyCredentials(
  registry: DriverRegistry,
  guard: EgressGuard,
  check: CredentialCheck,
): Promise<{ folders: number }> {
  const { imap, smtp } = check.settings;
  const [mail, submission] = await Promise.allSettled([
    checked('imap', imap, guard, () => countFolders(registry, guard, check)),
    smtp &&
      checked('smtp', smtp, guard, () =>
        verifySmtp(smtp, check.secret.smtpPassword, {
          connect: (host, port, timeoutMs) => guard.connect(host, port, timeoutMs, 'smtp_host'),
        }),
      ),
  ]);
  if (mail.status === 'rejected') throw mail.reason;
  if (submission.status === 'rejected') throw submission.reason;
  return { folders: mail.value };
}

async function countFolders(registry: DriverRegistry, guard: EgressGuard, check: CredentialCheck): Promise<number> {
  const driver = await registry.openMail(check.kind, check.settings, check.secret, {
    resolve: (host) => guard.resolve(host, 'imap_host'),
    connectMs: CONNECT_MS,
    stallMs: STALL_MS,
  });
  try {
    return (await driver.folders()).length;
  } finally {
    await driver.close();
  }
}

async function checked<T>(
  server: Server,
  { host, port }: ServerSettings,
  guard: EgressGuard,
  check: () => Promise<T>,
): Promise<T> {
  await guard.resolve(host, `${server}_host`).catch((error: unknown) => {
    if (error instanceof DomainError) throw error;
    throw new InvalidRequest(`${server}_host: the name ${host} cannot be found`);
  });
  try {
    return await check();
  } catch (error) {
    throw error instanceof ProviderError ? faultOf(server, `${host}:${port}`, error) : error;
  }
}

function faultOf(server: Server, place: string, error: ProviderError): DomainError {
  const message = `${server.toUpperCase()} server ${place}: ${error.message}`;
  switch (error.kind) {
    case 'credentials':
      return new DomainError(403, 'auth_error', message, { server });
    case 'throttled':
      return new DomainError(503, 'provider_error', message, { server });
    case 'forbidden':
    case 'not-found':
    case 'cursor-expired':
    case 'rejected':
    case 'hostile':
    case 'folder-unavailable':
    case 'unavailable':
      return new DomainError(400, 'api_error', message, { server });
    default:
      return error.kind satisfies never;
  }
}
