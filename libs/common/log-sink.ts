import { writeSync } from 'node:fs';

/** Bytes that wait while nobody reads; later lines are dropped. */
const MOST_WAITING = 8 * 1024 * 1024;
const RETRY_MS = 50;
const LAST_RETRY_MS = 2;
/** What a reader that reads no more may cost a process that wants to end. */
const LAST_WORDS_MS = 500;

/**
 * Standard error for log lines: whole lines, in order, at once. A pipe that is full is tried again later, and given up
 * at exit; pino's own destination would wait there without end, as it would for a reader that has died.
 */
export class LogSink {
  private waiting: Buffer[] = [];
  private size = 0;
  private broken = false;
  private retry: NodeJS.Timeout | null = null;

  constructor() {
    // Node makes a pipe non-blocking when it is first looked at; until then writing to a full one would hold us up.
    void process.stderr;
    process.once('exit', () => this.sayLastWords());
  }

  write(line: string): void {
    if (this.broken || this.size > MOST_WAITING) return;
    const bytes = Buffer.from(line);
    this.waiting.push(bytes);
    this.size += bytes.length;
    if (!this.retry) this.flush();
  }

  private flush(): void {
    this.retry = null;
    if (!this.writeWaiting()) this.retry = setTimeout(() => this.flush(), RETRY_MS).unref();
  }

  /** False when the pipe is full. */
  private writeWaiting(): boolean {
    for (let [first] = this.waiting; first && !this.broken; [first] = this.waiting) {
      try {
        const written = writeSync(2, first);
        this.size -= written;
        if (written < first.length) this.waiting[0] = first.subarray(written);
        else this.waiting.shift();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        this.broken = true;
      }
    }
    return true;
  }

  /** Waits for a reader as long as it reads. */
  private sayLastWords(): void {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    let [size, deadline] = [this.size, Date.now() + LAST_WORDS_MS];
    while (!this.writeWaiting() && Date.now() < deadline) {
      if (this.size < size) [size, deadline] = [this.size, Date.now() + LAST_WORDS_MS];
      Atomics.wait(clock, 0, 0, LAST_RETRY_MS);
    }
  }
}
