import { createServer } from 'node:net';

import { freePort, whyNotListen } from './ports.js';

describe('freePort', () => {
  it('gives ports that are free, none of them twice', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, freePort));
    expect(new Set(ports).size).toBe(50);
    for (const port of ports) expect(await whyNotListen('127.0.0.1', port)).toBeNull();
  });

  it('gives none that an outgoing connection could have taken meanwhile', async () => {
    // Linux begins at 32,768 with them, others later.
    for (let times = 0; times < 20; times += 1) expect(await freePort()).toBeLessThan(32_768);
  });
});

it('tells why nothing can listen on a port that is taken', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await whyNotListen('127.0.0.1', port)).toBe('EADDRINUSE');
  server.close();
});
