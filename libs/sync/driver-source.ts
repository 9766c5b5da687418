import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import type { DriverSource } from '#libs/sync/mail/read-messages.js';

/** One connection at a time, opened when first needed and again after it was thrown away. */
export class OneConnection implements DriverSource {
  private opening: Promise<MailDriver> | null = null;

  constructor(private readonly open: () => Promise<MailDriver>) {}

  get(): Promise<MailDriver> {
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
