import { ConfigError } from './config.js';

export interface Running {
  close(): Promise<void>;
}

/** A start-up fault for people: one line that names the setting, exit code 1. */
export class StartFault extends Error {}

/** An orderly stop that takes longer is cut short: whoever waits for us will kill us anyway. */
const LONGEST_STOP_MS = 10_000;

/**
 * The life of a long-running process: starts, tells the launcher over IPC that it is ready, and stops in order on
 * SIGTERM, SIGINT or when the launcher is gone.
 */
export async function runProcess(name: string, start: () => Promise<Running>): Promise<void> {
  try {
    const running = await start();
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
      running.close().then(
        () => process.exit(0),
        (error: unknown) => die(name, error),
      );
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    process.once('disconnect', stop);
    process.send?.({ type: 'ready' });
  } catch (error) {
    die(name, error);
  }
}

function die(name: string, error: unknown): never {
  const plain = error instanceof ConfigError || error instanceof StartFault;
  const text = plain ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${name}: ${text}\n`);
  process.exit(1);
}
