import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

const REFUSALS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The request line and headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The request body is too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};
const NOT_HTTP = [400, 'The request is not valid HTTP.'] as const;

/** Answers in JSON to what Node itself refuses: such requests never reach Express. */
export function answerProtocolErrors(server: Server): void {
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket: Duplex) => {
    // Node's name for the answer that is being sent: ours would land in the middle of it.
    const answering = '_httpMessage' in socket && socket._httpMessage !== null;
    if (code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy();
    const [status, message] = REFUSALS[code] ?? NOT_HTTP;
    refuse(socket, status, message);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { headers, body } = refusal('The only expectation that can be met is 100-continue.');
    response.writeHead(417, headers).end(body);
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    refuse(socket, 405, 'CONNECT is not allowed: this is no proxy.');
  });
}

function refuse(socket: Duplex, status: number, message: string): void {
  const { headers, body } = refusal(message);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket
    .on('error', () => {})
    .end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

function refusal(message: string) {
  const body = JSON.stringify({ type: 'invalid_request_error', message });
  const headers = {
    'X-Request-Id': randomUUID(),
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  return { headers, body };
}
