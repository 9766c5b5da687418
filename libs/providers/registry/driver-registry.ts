import { Injectable } from '@nestjs/common';

import type { GrantSecret, MailSettings, ServerSettings } from '#libs/providers/contracts/connection-settings.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { MailSender } from '#libs/providers/contracts/mail-sender.js';
import type { ImapOptions } from '#libs/providers/imap/imap-connection.js';
import { ImapMailDriver } from '#libs/providers/imap/imap-mail.driver.js';
import { SmtpSender } from '#libs/providers/smtp/smtp-sender.js';
import type { SmtpOptions } from '#libs/providers/smtp/verify-smtp.js';

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

  /** One for each account; it connects when it sends. */
  openSender(settings: ServerSettings, secret: GrantSecret, connect: SmtpOptions['connect']): MailSender {
    return new SmtpSender(settings, secret.smtpPassword, { connect });
  }
}
