import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** What the server says to a command: text with `TAG` where the command's tag belongs, or an act of its own. */
export type Reply = string | ((tag: string, line: string, socket: Socket) => void);

/** Command pattern to reply; the first that matches counts, then the well-behaved defaults. */
export type Script = readonly (readonly [Pick<RegExp, 'test'>, Reply])[];

export interface ScriptedImap {
  readonly port: number;
  /** Command lines without tags, in order. */
  readonly received: readonly string[];
  /** Sends text to whoever is connected. */
  say(text: string): void;
  stop(): Promise<void>;
}

export interface ScriptedOptions {
  readonly greeting?: string;
  readonly capabilities?: string;
  readonly script?: Script;
}

const mailbox = [
  '* FLAGS (\\Seen \\Flagged)',
  '* 3 EXISTS',
  '* 0 RECENT',
  '* OK [UIDVALIDITY 7] ok',
  '* OK [UIDNEXT 14] ok',
].join('\r\n');

const message = 'Subject: hi\r\n\r\nbody\r\n';

/** One row of FETCH as `messages()` asks for it. */
export const row = (seq: number, uid: number, flags = 'FLAGS (\\Seen) ') =>
  `* ${seq} FETCH (UID ${uid} ${flags}INTERNALDATE "01-Feb-2026 10:00:00 +0000" RFC822.SIZE ${message.length} ` +
  `BODY[]<0> {${message.length}}\r\n${message})\r\n`;

function defaults(capabilities: string): Script {
  return [
    [/^CAPABILITY/, `* CAPABILITY ${capabilities}\r\nTAG OK done\r\n`],
    [/^(LOGIN|ID|ENABLE|NOOP|LSUB|NAMESPACE)/, 'TAG OK done\r\n'],
    [/^LIST "" ""/, '* LIST (\\Noselect) "/" ""\r\nTAG OK done\r\n'],
    [/^LIST/, '* LIST () "/" INBOX\r\nTAG OK done\r\n'],
    [/^(SELECT|EXAMINE)/, `${mailbox}\r\nTAG OK [READ-ONLY] done\r\n`],
    [/^UID SEARCH/, '* SEARCH 11 12 13\r\nTAG OK done\r\n'],
    [/^UID FETCH/, `${row(1, 11)}${row(2, 12)}${row(3, 13)}TAG OK done\r\n`],
    [
      /^FETCH/,
      '* 1 FETCH (UID 11 FLAGS ())\r\n* 2 FETCH (UID 12 FLAGS ())\r\n* 3 FETCH (UID 13 FLAGS ())\r\nTAG OK\r\n',
    ],
    [/^LOGOUT/, '* BYE see you\r\nTAG OK done\r\n'],
  ];
}

/** An IMAP server that says what the test wrote down, for everything a decent server would never say. */
export async function startScriptedImap(options: ScriptedOptions = {}): Promise<ScriptedImap> {
  const capabilities = options.capabilities ?? 'IMAP4rev1 LITERAL+';
  const script = [...(options.script ?? []), ...defaults(capabilities)];
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.write(options.greeting ?? `* OK [CAPABILITY ${capabilities}] ready\r\n`);
    let pending = '';
    socket.on('data', (chunk) => {
      const lines = (pending + chunk.toString('latin1')).split('\r\n');
      pending = lines.pop() ?? '';
      for (const line of lines) answer(socket, line);
    });
  });
  const answer = (socket: Socket, line: string) => {
    const [tag = '', ...rest] = line.split(' ');
    const command = rest.join(' ');
    received.push(command || tag);
    const [, reply] = script.find(([pattern]) => pattern.test(command)) ?? [null, 'TAG BAD what?\r\n'];
    if (typeof reply === 'function') reply(tag, command, socket);
    else socket.write(reply.replaceAll('TAG', tag), 'latin1');
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    received,
    say: (text) => sockets.forEach((socket) => socket.write(text)),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
