import net from 'node:net';

/** A way to an IMAP server that notes the name of every command on it; `DONE` ends an IDLE. */
export class ImapTally {
  /** In the order in which they were sent. */
  readonly commands: string[] = [];
  private readonly sockets = new Set<net.Socket>();

  private constructor(private readonly server: net.Server) {}

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  static async to(port: number): Promise<ImapTally> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tally = new ImapTally(server);
    server.on('connection', (near) => {
      const far = net.connect(port, '127.0.0.1');
      for (const socket of [near, far]) tally.sockets.add(socket.setNoDelay().on('error', () => {}));
      near.on('data', (chunk: Buffer) => tally.note(chunk.toString('latin1')));
      near.pipe(far).pipe(near);
    });
    return tally;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private note(sent: string): void {
    for (const line of sent.split('\r\n')) {
      const [, name] = /^\w+ ((?:UID )?[A-Z]+)/.exec(line) ?? /^(DONE)$/.exec(line) ?? [];
      if (name) this.commands.push(name);
    }
  }
}
