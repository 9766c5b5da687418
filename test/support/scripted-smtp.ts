import { createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * Replies by command (`EHLO`, `AUTH`, `MAIL`, `RCPT bob@x`, `DATA`, `.`); `hang-up` says nothing and cuts the line, `hold` says
 * nothing until `release`. What is not named goes well.
 */
export type SmtpScript = Readonly<Record<string, string>>;

/** An SMTP server that says what the test wants it to say, on the wire. */
export class ScriptedSmtp {
  /** Messages that were received to their end, whatever was answered. */
  readonly received: string[] = [];
  script: SmtpScript = {};
  /** That were made so far. */
  connections = 0;
  private readonly sockets = new Set<Socket>();
  private readonly held: Socket[] = [];
  private readonly server = createServer((socket) => this.serve(socket));

  static async start(): Promise<ScriptedSmtp> {
    const smtp = new ScriptedSmtp();
    await new Promise<void>((resolve) => smtp.server.listen(0, '127.0.0.1', resolve));
    return smtp;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Ends every connection, as servers do when nothing is said for long. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Says at last what it held back. */
  release(reply: string): void {
    for (const socket of this.held.splice(0)) socket.write(`${reply}\r\n`);
  }

  private serve(socket: Socket): void {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let [buffered, message] = ['', null as string | null];
    socket.write('220 test ESMTP\r\n');
    socket.on('data', (chunk) => {
      buffered += chunk.toString('latin1');
      for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        if (message !== null && line !== '.') {
          message += `${line.startsWith('..') ? line.slice(1) : line}\r\n`;
          continue;
        }
        if (message !== null) {
          this.received.push(message);
          message = null;
          this.answer(socket, '.', '250 2.0.0 taken');
        } else if (this.command(socket, line)) message = '';
      }
    });
  }

  /** @returns whether a message follows */
  private command(socket: Socket, line: string): boolean {
    const verb = line.split(' ')[0]!.toUpperCase();
    if (verb === 'EHLO') this.answer(socket, verb, '250-test\r\n250-AUTH PLAIN\r\n250 ENHANCEDSTATUSCODES');
    else if (verb === 'STARTTLS') this.answer(socket, verb, '502 5.5.1 not implemented');
    else if (verb === 'AUTH') this.answer(socket, 'AUTH', '235 2.7.0 welcome');
    else if (verb === 'RCPT') this.answer(socket, `RCPT ${/<(.*?)>/.exec(line)?.[1] ?? ''}`, '250 2.1.5 fine');
    else if (verb === 'DATA') return this.answer(socket, 'DATA', '354 go on');
    else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else this.answer(socket, verb, '250 fine');
    return false;
  }

  private answer(socket: Socket, command: string, usual: string): boolean {
    const said = this.script[command] ?? usual;
    if (said === 'hang-up') socket.destroy();
    else if (said === 'hold') this.held.push(socket);
    else socket.write(`${said}\r\n`);
    return said === usual;
  }
}
