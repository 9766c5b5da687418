import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { EgressGuard } from '#libs/common/egress-guard.js';
import { DomainError, NotFound } from '#libs/common/errors.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { Reader } from '#libs/database/reader.js';
import type { GrantSecret, MailSettings } from '#libs/providers/contracts/connection-settings.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { MailSender } from '#libs/providers/contracts/mail-sender.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';

interface GrantRow {
  readonly kind: string;
  readonly settings: MailSettings;
  readonly sealed: string;
}

interface KnownSender {
  readonly sender: MailSender;
  /** What it signs in with, and where. */
  readonly grant: string;
  usedAt: number;
}

/** One that was not used for so long has no connections left. */
const SENDER_MS = 60_000;

/** Opens connections with stored grants: the one place where a secret leaves its seal. */
@Injectable()
export class Connections implements OnApplicationShutdown {
  private readonly senders = new Map<string, KnownSender>();

  constructor(
    private readonly reader: Reader,
    private readonly box: SecretBox,
    private readonly registry: DriverRegistry,
    private readonly guard: EgressGuard,
  ) {}

  /**
   * A new connection; whoever opened it closes it.
   * @throws NotFound when there is no such account; ProviderError; SealError when its key is not in SECRET_KEYS
   */
  async openMail(accountId: string): Promise<MailDriver> {
    const { kind, settings, secret } = await this.grantOf(accountId);
    return this.registry.openMail(kind, settings, secret, {
      resolve: (host) => this.guard.resolve(host, 'imap_host'),
    });
  }

  /**
   * The account's own one, for the message that is sent now.
   * @throws NotFound, SealError as above; DomainError 403 for an account that cannot send
   */
  async senderFor(accountId: string): Promise<MailSender> {
    const { settings, secret } = await this.grantOf(accountId);
    if (!settings.smtp) throw new DomainError(403, 'api_error', 'The account has no SMTP server to send by.');
    const grant = JSON.stringify([settings.smtp, secret.smtpPassword]);
    const now = Date.now();
    for (const [id, { usedAt, sender }] of this.senders) {
      if (now - usedAt <= SENDER_MS) continue;
      this.senders.delete(id);
      sender.close();
    }
    const known = this.senders.get(accountId);
    if (known?.grant === grant) {
      known.usedAt = now;
      return known.sender;
    }
    known?.sender.close();
    const sender = this.registry.openSender(settings.smtp, secret, (host, port, timeoutMs) =>
      this.guard.connect(host, port, timeoutMs, 'smtp_host'),
    );
    this.senders.set(accountId, { sender, grant, usedAt: now });
    return sender;
  }

  onApplicationShutdown(): void {
    for (const { sender } of this.senders.values()) sender.close();
  }

  private async grantOf(accountId: string): Promise<{ kind: string; settings: MailSettings; secret: GrantSecret }> {
    const [row] = await this.reader.rows<GrantRow>(
      'SELECT a.kind, a.settings, g.sealed FROM accounts a JOIN grants g ON g.account_id = a.id WHERE a.id = $1',
      [accountId],
      'account-grant',
    );
    if (!row) throw new NotFound('account', accountId);
    const secret = JSON.parse(this.box.open(row.sealed, accountId)) as GrantSecret;
    return { kind: row.kind, settings: row.settings, secret };
  }
}
