import { once } from 'node:events';
import { get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ApiAdapter } from './api-adapter.js';

const prototypesOf = (request: IncomingMessage, response: ServerResponse) =>
  [request, response].map((each) => Object.getPrototypeOf(each) as unknown);

describe('ApiAdapter', () => {
  it('makes requests and responses with the prototypes that Express wants, so that it need not change them', async () => {
    const adapter = new ApiAdapter();
    adapter.initHttpServer();
    const server = adapter.getHttpServer() as Server;
    const seen: unknown[][] = [];
    server.prependListener('request', (request, response) => void seen.push(prototypesOf(request, response)));
    adapter.use((request: IncomingMessage, response: ServerResponse) => {
      seen.push(prototypesOf(request, response));
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const [answer] = (await once(get({ port, host: '127.0.0.1', agent: false }), 'response')) as [IncomingMessage];
    answer.resume();
    server.close();
    const [before, after] = seen;
    expect(before![0]).toBe(after![0]);
    expect(before![1]).toBe(after![1]);
  });
});
