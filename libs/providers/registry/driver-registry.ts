import { Injectable } from '@nestjs/common';

import type { GrantSecret, MailSettings } from '#libs/providers/contracts/connection-settings.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { ImapOptions } from '#libs/providers/imap/imap-connection.js';
import { ImapMailDriver } from '#libs/providers/imap/imap-mail.driver.js';

/** How connections are made, whatever the driver. `resolve` is the egress guard's, and nobody connects without it. */
export type DriverOptions = Required<Pick<ImapOptions, 'resolve'>> &
  Pick<ImapOptions, 'stallMs' | 'connectMs' | 'quirks'>;

/** Account kind to drivers: the only place that names concrete ones. */
@Injectable()
export class DriverRegistry {
  /**
   * Connects and signs in. Whoever opened the session closes it.
   * @param kind as on the account row
   * @throws ProviderError
   */
  async openMail(
    kind: string,
    settings: MailSettings,
    secret: GrantSecret,
    options: DriverOptions,
  ): Promise<MailDriver> {
    switch (kind) {
      case 'imap':
        return ImapMailDriver.open(settings.imap, secret.imapPassword, options);
      default:
        throw new Error(`There is no mail driver for accounts of kind ${kind}.`);
    }
  }
}
