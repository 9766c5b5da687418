import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Called for each piece of the body, in the order of arrival. */
export type OnText = (text: string, at: number) => void;

/**
 * An open `GET` on a socket of its own. Nothing is kept of what it is sent, so that thousands of them are no burden to
 * the process that listens. Resolves when the first bytes of the answer are there.
 * @throws Error when it is answered with anything but 200
 */
export async function openStream(port: number, path: string, token: string, onText: OnText): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  socket.on('error', (error) => console.error(`stream ${path}:`, error));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [string];
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(`GET ${path}: ${head}`);
  socket.on('data', (text: string) => {
    // A beat: six bytes of a chunk with a line end in it.
    if (text.length > 6) onText(text, performance.now());
  });
  return socket;
}
