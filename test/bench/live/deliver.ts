import SMTPConnection from 'nodemailer/lib/smtp-connection/index.js';

import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import { composeMessage } from '../mailbox/compose.js';
import { planMailbox, type PlannedMessage } from '../mailbox/plan.js';

import { addressOf } from './mail-host.js';

const SEED = 20_260_630;

/** Delivers mail as a mail server would: over LMTP, on one connection. */
export class Delivery {
  private readonly planned: readonly PlannedMessage[];
  private next = 0;

  private constructor(
    private readonly connection: SMTPConnection,
    count: number,
  ) {
    // The plan counts copies, too.
    this.planned = planMailbox(count * 2, SEED);
  }

  /** @param count how many messages at most */
  static async open(host: Dovecot, count: number): Promise<Delivery> {
    const connection = new SMTPConnection({ host: host.host, port: host.lmtpPort, lmtp: true, ignoreTLS: true });
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect(() => resolve());
    });
    return new Delivery(connection, count);
  }

  /** A message of 2 to 20 kB, now and then with attachments. Resolves when the server has it. */
  async deliver(n: number): Promise<void> {
    const message = composeMessage(this.planned[this.next++]!, SEED);
    const envelope = { from: 'ben@example.net', to: addressOf(n) };
    await new Promise<void>((resolve, reject) => {
      this.connection.send(envelope, message, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.connection.quit();
  }
}
