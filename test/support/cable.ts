import net from 'node:net';

/** A way to a server that can be cut. */
export class Cable {
  private readonly sockets = new Set<net.Socket>();
  private cut = false;

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
      for (const socket of [near, far]) cable.sockets.add(socket.on('error', () => {}));
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
    return cable;
  }

  sever(): void {
    this.cut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.cut = false;
  }

  remove(): void {
    this.sever();
    this.server.close();
  }
}
