import type { ReceivedMessage } from '../../../apps/launcher/peers/smtp.js';

/** What the SMTP server has accepted, by subject. Each subject is used for one message. */
export class AcceptedMail {
  private readonly counts = new Map<string, number>();
  private read = 0;

  constructor(private readonly messages: readonly ReceivedMessage[]) {}

  count(subject: string): number {
    this.update();
    return this.counts.get(subject) ?? 0;
  }

  /** Whenever it was: also after somebody had looked. */
  sentTwice(): string[] {
    this.update();
    return [...this.counts].filter(([, count]) => count > 1).map(([subject]) => subject);
  }

  private update(): void {
    for (const { raw } of this.messages.slice(this.read)) {
      const subject = /^Subject: (.*)\r$/m.exec(raw.toString('latin1'))?.[1] ?? '';
      this.counts.set(subject, (this.counts.get(subject) ?? 0) + 1);
    }
    this.read = this.messages.length;
  }
}
