import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { ImapConnection } from './imap-connection.js';
import type { ServerQuirks } from './server-quirks.js';

/** Waits for something to happen in the open folder. */
export class FolderWatch {
  private idling: Promise<unknown> | null = null;
  private idlingSince = 0;
  private refused = false;

  constructor(
    private readonly connection: ImapConnection,
    private readonly quirks: ServerQuirks,
  ) {}

  /**
   * IDLE is entered at once and left running when the wait is over: the next command ends it, and until then the server
   * goes on telling.
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
      const pauseMs = idles ? this.idleLeft() : this.quirks.pollMs;
      await this.pause(Math.min(left, pauseMs), signal);
      if (signal.aborted || this.connection.stirred) continue;
      if (!idles) await this.poll(path);
      else if (this.idleLeft() <= 0) await this.renewIdle(path);
    }
  }

  private idleLeft(): number {
    return this.idlingSince + this.quirks.idleMs - Date.now();
  }

  /** Any command ends IDLE; the next round enters it again. */
  private async renewIdle(path: string): Promise<void> {
    await this.connection.guard(`watching ${path}`, () => this.connection.flow.noop());
    await this.idling;
  }

  private checkAlive(path: string): void {
    if (this.connection.usable && this.connection.selected?.path === path) return;
    throw this.connection.translate(
      new ProviderError('unavailable', `The connection to the mail server broke while watching ${path}.`),
      `watching ${path}`,
    );
  }

  private enterIdle(): void {
    if (this.idling) return;
    this.idlingSince = Date.now();
    this.idling = this.connection.flow
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

  /** NOOP makes most servers tell; where it does nothing STATUS does, and where that is silent, opening the folder. */
  private async poll(path: string): Promise<void> {
    const { connection } = this;
    const box = connection.selected;
    if (!box) return;
    const before = { messages: box.exists, uidNext: box.uidNext };
    if (this.quirks.poll === 'noop') await connection.guard(`watching ${path}`, () => connection.flow.noop());
    if (connection.stirred) return;
    const now = this.quirks.poll === 'examine' ? await connection.examine(path) : await this.status(path);
    if (!now) return;
    if (now.messages !== before.messages || (now.uidNext ?? 0) > before.uidNext) connection.stirred = true;
  }

  private async status(path: string): Promise<{ messages?: number; uidNext?: number } | false> {
    const items = { messages: true, uidNext: true };
    return this.connection.guard(`watching ${path}`, () => this.connection.flow.status(path, items));
  }
}
