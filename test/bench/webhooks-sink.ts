import { createServer } from 'node:http';

/**
 * An endpoint of bench:webhooks. `/fast` answers at once, `/slow` in 5 ms, `/hang` never; `/count` tells how many were
 * taken, `/delays` how long each was on its way: from the millisecond that is the object's id to here.
 */
let count = 0;
let delays: [string, number][] = [];

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
  if (request.method === 'GET') {
    if (pathname === '/count') return void response.end(String(count));
    if (pathname === '/delays') {
      const text = JSON.stringify(delays);
      delays = [];
      return void response.end(text);
    }
    return void response.end(searchParams.get('challenge'));
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    count += 1;
    if (pathname === '/slow') return void setTimeout(() => response.end(), 5);
    if (pathname === '/hang') return;
    if (pathname.startsWith('/timed')) {
      const committed = /"id":"at(\d+)/.exec(Buffer.concat(chunks).toString())?.[1];
      if (committed) delays.push([pathname, Date.now() - Number(committed)]);
    }
    response.end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.({ type: 'ready' }));
process.on('SIGTERM', () => process.exit(0));
