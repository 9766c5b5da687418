import type { MailSender } from '#libs/providers/contracts/mail-sender.js';

interface Kept {
  readonly sender: MailSender;
  readonly version: string;
  readonly timer: NodeJS.Timeout;
}

/** One that was not used for so long has no connections left. */
const KEPT_MS = 60_000;

/** The senders of accounts, which know a password: none is kept longer than its connections. */
export class KeptSenders {
  private readonly senders = new Map<string, Kept>();

  /** @param version of what it signs in with, and where; no secret */
  get(accountId: string, version: string, open: () => MailSender): MailSender {
    const known = this.senders.get(accountId);
    if (known?.version === version) {
      known.timer.refresh();
      return known.sender;
    }
    this.forget(accountId);
    const timer = setTimeout(() => this.forget(accountId), KEPT_MS).unref();
    const sender = open();
    this.senders.set(accountId, { sender, version, timer });
    return sender;
  }

  close(): void {
    for (const accountId of this.senders.keys()) this.forget(accountId);
  }

  private forget(accountId: string): void {
    const known = this.senders.get(accountId);
    if (!known) return;
    this.senders.delete(accountId);
    clearTimeout(known.timer);
    known.sender.close();
  }
}
