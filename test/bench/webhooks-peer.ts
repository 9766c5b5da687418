import Bull from 'bull';
import { Agent, request } from 'undici';

/** The bare peer of bench:webhooks: a Bull job for each notification, and undici. No database, no signature, no log. */
const queue = new Bull('peer', process.env.REDIS_URL!);
const dispatcher = new Agent({ connections: 64 });
void queue.process(64, async ({ data }: { readonly data: { readonly url: string; readonly body: string } }) => {
  const { body } = await request(data.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: data.body,
    dispatcher,
  });
  await body.dump();
});
await queue.isReady();
process.send?.({ type: 'ready' });
process.on('SIGTERM', () => process.exit(0));
