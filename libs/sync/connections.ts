import { Injectable } from '@nestjs/common';

import { EgressGuard } from '#libs/common/egress-guard.js';
import { NotFound } from '#libs/common/errors.js';
import { SecretBox } from '#libs/common/secret-box.js';
import { Reader } from '#libs/database/reader.js';
import type { GrantSecret, MailSettings } from '#libs/providers/contracts/connection-settings.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { DriverRegistry } from '#libs/providers/registry/driver-registry.js';

interface GrantRow {
  readonly kind: string;
  readonly settings: MailSettings;
  readonly sealed: string;
}

/** Opens connections with stored grants: the one place where a secret leaves its seal. */
@Injectable()
export class Connections {
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
    const [row] = await this.reader.rows<GrantRow>(
      'SELECT a.kind, a.settings, g.sealed FROM accounts a JOIN grants g ON g.account_id = a.id WHERE a.id = $1',
      [accountId],
      'account-grant',
    );
    if (!row) throw new NotFound('account', accountId);
    const secret = JSON.parse(this.box.open(row.sealed, accountId)) as GrantSecret;
    return this.registry.openMail(row.kind, row.settings, secret, {
      resolve: (host) => this.guard.resolve(host, 'imap_host'),
    });
  }
}
