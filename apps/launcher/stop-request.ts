/** Waits for somebody to want us gone: Ctrl-C, SIGTERM, a closed terminal, or a part that cannot go on. */
export class StopRequest {
  readonly requested: Promise<void>;
  /** Null while nobody asked; the exit code otherwise. */
  exitCode: number | null = null;
  private resolve: () => void = () => undefined;
  private firstAt = 0;

  /** @param hurry called for a further Ctrl-C while stopping */
  constructor(private readonly hurry: () => void) {
    this.requested = new Promise((resolve) => (this.resolve = resolve));
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => this.onSignal());
  }

  ask(exitCode: number): void {
    if (this.exitCode !== null) return;
    this.exitCode = exitCode;
    this.firstAt = Date.now();
    this.resolve();
  }

  /** npm passes on the Ctrl-C that we got from the terminal already: two within a second are one. */
  private onSignal(): void {
    if (this.exitCode === null) this.ask(0);
    else if (Date.now() - this.firstAt > 1000) this.hurry();
  }
}
