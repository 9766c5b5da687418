import { setMaxListeners } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the line does to what passes; nothing to begin with. */
export interface Line {
  /** How much later everything arrives, either way, in milliseconds. */
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const CLEAR: Line = { delayMs: 0, bytesPerSecond: Infinity };
/** A sender waits while so much is on its way. */
const LINE_BYTES = 4_000_000;
/** Longer than the end of any answer: a status line that got through would make what stands before it true. */
const GARBAGE_BYTES = 64;

/** A way to a server that can be cut, slowed down and disturbed. */
export class Cable {
  private readonly sockets = new Set<net.Socket>();
  private cut = false;
  private corrupting = false;
  private line: Line = CLEAR;
  private slowed = untilMended();

  private constructor(
    private readonly server: net.Server,
    readonly url: string,
  ) {}

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** @param target any URL with host and port */
  static async to(target: string): Promise<Cable> {
    const { hostname, port } = new URL(target);
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(target);
    url.port = String((server.address() as net.AddressInfo).port);
    const cable = new Cable(server, url.href);
    server.on('connection', (near) => {
      if (cable.cut) return near.destroy();
      const far = net.connect(Number(port), hostname);
      for (const socket of [near, far]) {
        cable.sockets.add(socket.setNoDelay().on('error', () => {}));
        socket.on('close', () => cable.sockets.delete(socket));
      }
      cable.carry(near, far);
      cable.carry(far, near, () => near.destroy());
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    return cable;
  }

  sever(): void {
    this.cut = true;
    this.drop();
  }

  /** Sound again; what was held up on the way arrives at once. */
  mend(): void {
    this.cut = false;
    this.corrupting = false;
    this.line = CLEAR;
    this.slowed.abort();
    this.slowed = untilMended();
  }

  /** Ends the connections there are; new ones can be made. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Slows everything down until `mend`. */
  slow(line: Partial<Line>): void {
    this.line = { ...CLEAR, ...line };
  }

  /** The next thing the server says ends in garbage, and the connection with it. */
  corrupt(): void {
    this.corrupting = true;
  }

  remove(): void {
    this.sever();
    this.slowed.abort();
    this.server.close();
  }

  /** @param end breaks the connection; left out, what passes here is never corrupted */
  private carry(from: net.Socket, to: net.Socket, end?: () => void): void {
    let [freeAt, onTheWay] = [0, 0];
    let last = Promise.resolve();
    const arrive = (chunk: Buffer) => {
      const garbled = end !== undefined && this.corrupting;
      if (garbled) {
        this.corrupting = false;
        setImmediate(end);
      }
      to.write(garbled ? garble(chunk) : chunk, () => {
        onTheWay -= chunk.length;
        if (onTheWay < LINE_BYTES) from.resume();
      });
    };
    from.on('data', (chunk: Buffer) => {
      const { delayMs, bytesPerSecond } = this.line;
      const { signal } = this.slowed;
      const now = Date.now();
      freeAt = bytesPerSecond === Infinity ? now : Math.max(freeAt, now) + (chunk.length / bytesPerSecond) * 1000;
      const due = freeAt + delayMs;
      onTheWay += chunk.length;
      if (onTheWay >= LINE_BYTES) from.pause();
      last = last.then(async () => {
        if (due > Date.now()) await sleep(due - Date.now(), undefined, { signal }).catch(() => undefined);
        arrive(chunk);
      });
    });
    from.on('end', () => void last.then(() => to.end()));
  }
}

function untilMended(): AbortController {
  const slowed = new AbortController();
  setMaxListeners(0, slowed.signal);
  return slowed;
}

function garble(chunk: Buffer): Buffer {
  return Buffer.concat([chunk.subarray(0, -GARBAGE_BYTES), Buffer.alloc(GARBAGE_BYTES, 0xff)]);
}
