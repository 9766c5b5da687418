import { Injectable } from '@nestjs/common';
import type { z } from 'zod';

import { Conflict, DomainError } from '#libs/common/errors.js';
import { canonicalEmail } from '#libs/common/participants.js';
import { AccountsService, type AccountSummary } from '#libs/domain/accounts/accounts.service.js';
import { AuthCodes } from '#libs/domain/accounts/auth-codes.js';
import { ApplicationsService } from '#libs/domain/applications/applications.service.js';
import { ProviderDetection } from '#libs/providers/detect/detect.module.js';
import { type DetectedProvider, knownSettings } from '#libs/providers/detect/detect-provider.js';
import { RemoteCalls } from '#libs/queues/remote-calls.js';

import { ConnectLimits } from './connect-limits.js';
import { AuthorizeRequest, readRequest } from './connect-request.js';
import { needsOauth, notAvailable, type PasswordAccount, passwordAccount } from './password-account.js';

type Authorize = z.output<typeof AuthorizeRequest>;

/** Connecting an account with credentials that the application has asked for itself: the first of two steps. */
@Injectable()
export class NativeAuth {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly accounts: AccountsService,
    private readonly codes: AuthCodes,
    private readonly detection: ProviderDetection,
    private readonly remote: RemoteCalls,
    private readonly limits: ConnectLimits,
  ) {}

  /** Checks the credentials at their servers, stores the account, and hands out a one-time code for it. */
  async authorize(query: unknown, body: unknown): Promise<{ code: string }> {
    const request = readRequest(AuthorizeRequest, query, body, ['client_id', 'email_address', 'provider']);
    const application = await this.applications.byClientId(request.client_id);
    if (!application) throw new DomainError(401, 'auth_error', 'Unknown client_id');
    const email = request.email_address;
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new DomainError(400, 'api_error', 'Invalid value for email_address');
    await this.limits.takeTry(email);
    const existing = await this.existing(application.id, email, request.reauth_account_id);
    const account = await this.described(request.provider.toLowerCase(), email, request.settings);
    if (existing && !request.reauth_account_id) refuseOtherServers(existing, account);
    const { provider, ...check } = account;
    await this.remote.call('credentials.verify', check);
    await this.limits.forget(email);
    const { id } = await this.accounts.connect({
      ...check,
      provider,
      applicationId: application.id,
      email,
      name: request.name ?? existing?.name ?? '',
    });
    return { code: await this.codes.issue(application.id, id, request.scopes) };
  }

  /** @throws DomainError when `reauthId` names another mailbox, or an account of another application */
  private async existing(applicationId: string, email: string, reauthId?: string): Promise<AccountSummary | null> {
    const account = await this.accounts.byEmail(applicationId, email);
    if (reauthId === undefined || account?.id === reauthId.toLowerCase()) return account;
    throw new DomainError(400, 'auth_error', `reauth_account_id is not the account of ${canonicalEmail(email)}`);
  }

  private async described(provider: string, email: string, settings: Authorize['settings']): Promise<PasswordAccount> {
    if (needsOauth(provider, settings)) throw notAvailable(provider);
    const detected = settings['imap_host'] ? null : await this.detected(provider, email);
    if (detected?.signIn === 'oauth') throw notAvailable(detected.provider);
    return passwordAccount(provider, email, settings, detected);
  }

  private async detected(provider: string, email: string): Promise<DetectedProvider | null> {
    if (provider === 'imap') return this.detection.detect(email);
    const known = knownSettings(provider, email);
    if (!known) throw new DomainError(400, 'api_error', `Unknown provider ${provider.slice(0, 40)}`);
    return known;
  }
}

/**
 * Whoever knows an address and a client id could otherwise point somebody's account at servers of their own, where
 * any password is right.
 */
function refuseOtherServers(existing: AccountSummary, account: PasswordAccount): void {
  const { imap } = existing.settings as PasswordAccount['settings'];
  const same = imap.host === account.settings.imap.host && imap.username === account.settings.imap.username;
  if (same) return;
  throw new Conflict(
    'This mailbox is already connected with other server settings: pass its reauth_account_id to change them',
  );
}
