import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { DriverSource } from '#libs/sync/mail/read-messages.js';

/** One connection at a time, opened when first needed and again after it was thrown away. */
export class OneConnection implements DriverSource {
  private opening: Promise<MailDriver> | null = null;

  /** @param mayGoOn rejects when nothing may be done with it any more */
  constructor(
    private readonly open: () => Promise<MailDriver>,
    private readonly mayGoOn: () => Promise<void> = () => Promise.resolve(),
  ) {}

  async get(): Promise<MailDriver> {
    await this.mayGoOn();
    this.opening ??= this.open();
    return this.opening;
  }

  async discard(): Promise<void> {
    const opened = this.opening;
    this.opening = null;
    if (!opened) return;
    const [result] = await Promise.allSettled([opened]);
    if (result.status === 'fulfilled') await result.value.close();
  }
}
