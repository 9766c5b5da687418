import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ImapConnection } from './imap-connection.js';

/** Waits for something to happen in the open folder. */
export class FolderWatch {
  private idling: Promise<unknown> | null = null;
  private refused = false;

  constructor(
    private readonly connection: ImapConnection,
    private readonly pollMs: number,
  ) {}

  /**
   * IDLE is entered at once and left running when the wait is over: the next command ends it, and until then the server
   * goes on telling. imapflow restarts it every nine minutes.
   */
  async wait(path: string, timeoutMs: number, signal: AbortSignal): Promise<'changed' | 'quiet'> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      this.checkAlive(path);
      if (this.connection.stirred) return 'changed';
      const left = deadline - Date.now();
      if (left <= 0 || signal.aborted) return 'quiet';
      const idles = this.connection.has('IDLE') && !this.refused;
      if (idles) this.enterIdle();
      await this.pause(idles ? left : Math.min(left, this.pollMs), signal);
      if (!idles && !signal.aborted && !this.connection.stirred) await this.poll(path);
    }
  }

  private checkAlive(path: string): void {
    if (this.connection.usable && this.connection.selected?.path === path) return;
    throw this.connection.translate(
      new ProviderError('unavailable', `The connection to the mail server broke while watching ${path}.`),
      `watching ${path}`,
    );
  }

  private enterIdle(): void {
    this.idling ??= this.connection.flow
      .idle()
      .then(
        (outcome: unknown) => {
          if (outcome === false && this.connection.usable) this.refused = true;
        },
        () => undefined,
      )
      .finally(() => {
        this.idling = null;
        this.connection.wake();
      });
  }

  /** Ends at the first event, when the time is over, or when the signal fires. */
  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        unwatch();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      const unwatch = this.connection.watch(end);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  /** NOOP makes most servers tell; on those where it does nothing (Coremail), STATUS does. */
  private async poll(path: string): Promise<void> {
    const { connection } = this;
    await connection.guard(`watching ${path}`, () => connection.flow.noop());
    const box = connection.selected;
    if (!box || connection.stirred) return;
    const before = { exists: box.exists, uidNext: box.uidNext };
    const items = { messages: true, uidNext: true };
    const status = await connection.guard(`watching ${path}`, () => connection.flow.status(path, items));
    if (!status) return;
    if (status.messages !== before.exists || (status.uidNext ?? 0) > before.uidNext) connection.stirred = true;
  }
}
