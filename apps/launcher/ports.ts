import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below those that systems give to outgoing connections. While a server restarts, no connection takes its port, and a
 * client that calls it again and again is never connected to itself.
 */
const [LOWEST, HIGHEST] = [12_000, 32_000];
const TRIES = 1000;

const given = new Set<number>();

/** A loopback port that is free now, another one each time. Somebody may take it before we do: callers retry. */
export async function freePort(): Promise<number> {
  let reason: string | null = null;
  for (let left = TRIES; left > 0; left -= 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port)) continue;
    reason = await whyNotListen('127.0.0.1', port);
    if (reason) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port on 127.0.0.1: ${reason}`);
}

/** Why nothing could listen there (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …), or null when something can. */
export function whyNotListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}
