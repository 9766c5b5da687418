import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { Superseded } from '#libs/changes/account-writer.js';
import { EgressGuard } from '#libs/common/egress-guard.js';
import { DomainError, NotFound } from '#libs/common/errors.js';
import { sha256 } from '#libs/common/hash.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { Reader } from '#libs/database/reader.js';
import type { GrantSecret, MailSettings } from '#libs/providers/contracts/connection-settings.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { MailSender } from '#libs/providers/contracts/mail-sender.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';

import { KeptSenders } from './send/kept-senders.js';
import { Standstills } from './standstill.js';

interface GrantRow {
  readonly kind: string;
  readonly settings: MailSettings;
  readonly sealed: string;
}

interface Grant {
  readonly kind: string;
  readonly settings: MailSettings;
  readonly secret: GrantSecret;
  /** Another one when anything of it is. */
  readonly version: string;
}

/** Opens connections with stored grants: the one place where a secret leaves its seal. */
@Injectable()
export class Connections implements OnApplicationShutdown {
  readonly standstills = new Standstills();
  private readonly senders = new KeptSenders();

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

  /** @throws Superseded when somebody else has taken the account over */
  async mustHold({ id, epoch }: { readonly id: string; readonly epoch: number }): Promise<void> {
    const held = await this.reader.rows('SELECT FROM accounts WHERE id = $1 AND sync_epoch = $2', [id, epoch], 'held');
    if (held.length === 0) throw new Superseded(id);
  }

  /**
   * The account's own one, for the message that is sent now.
   * @throws NotFound, SealError as above; DomainError 403 for an account that cannot send
   */
  async senderFor(accountId: string): Promise<MailSender> {
    const { settings, secret, version } = await this.grantOf(accountId);
    const { smtp } = settings;
    if (!smtp) throw new DomainError(403, 'api_error', 'The account has no SMTP server to send by.');
    return this.senders.get(accountId, version, () =>
      this.registry.openSender(smtp, secret, (host, port, timeoutMs) =>
        this.guard.connect(host, port, timeoutMs, 'smtp_host'),
      ),
    );
  }

  onApplicationShutdown(): void {
    this.senders.close();
  }

  private async grantOf(accountId: string): Promise<Grant> {
    const [row] = await this.reader.rows<GrantRow>(
      'SELECT a.kind, a.settings, g.sealed FROM accounts a JOIN grants g ON g.account_id = a.id WHERE a.id = $1',
      [accountId],
      'account-grant',
    );
    if (!row) throw new NotFound('account', accountId);
    const secret = JSON.parse(this.box.open(row.sealed, accountId)) as GrantSecret;
    // Sealed anew whenever it is written, so this tells one from the next.
    const version = sha256(`${JSON.stringify(row.settings)} ${row.sealed}`);
    return { kind: row.kind, settings: row.settings, secret, version };
  }
}
