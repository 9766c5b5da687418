import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { letter } from '../support/letters.js';
import { Product } from '../support/product.js';
import { eventually } from '../support/eventually.js';

const run = promisify(execFile);

/** Established connections to a local port, as the kernel counts them. */
async function connectionsTo(port: number): Promise<number> {
  const { stdout } = await run('cat', ['/proc/net/tcp']);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Fields: number, local, remote, state; 01 is ESTABLISHED.
  return stdout.split('\n').filter((line) => new RegExp(`^\\s*\\d+: \\S+ [0-9A-F]{8}:${hex} 01 `).test(line)).length;
}

describe('connections of one account', () => {
  let product: Product;

  beforeAll(async () => {
    product = await Product.start({
      env: { SYNC_IMAP_MAX_CONNECTIONS: '3', SYNC_BACKFILL_THREADS: '4' },
      // One more than three: a session that takes over may meet its predecessor's last breath.
      dovecot: { extra: 'protocol imap {\n  mail_max_userip_connections = 4\n}' },
    });
    const old = Array.from({ length: 6000 }, (_, n) =>
      letter({ name: `old-${n}`, headers: [`X-Pad: ${'x'.repeat(900)}`] }),
    );
    await product.deliver('ada', 'INBOX', old);
  });
  afterAll(() => product?.stop());

  it('stay below the limit while old mail is read, and leave room for calls', async () => {
    const { api } = await product.connect();
    let most = 0;
    const count = async () => (most = Math.max(most, await connectionsTo(product.dovecot.imapPort)));
    const [newest] = await eventually('the first mail', async () => {
      await count();
      const messages = await api.ok<{ id: string }[]>('/messages?limit=1');
      return messages.length > 0 ? messages : null;
    });
    const raw = await api.get(`/messages/${newest!.id}`, { accept: 'message/rfc822' });
    expect(raw.status).toBe(200);
    await eventually(
      'everything',
      async () => {
        await count();
        return (await api.ok<{ count: number }>('/messages?view=count')).count === 6000;
      },
      90_000,
    );
    // The session and a reader of old mail at least, or nothing was counted.
    expect(most).toBeGreaterThanOrEqual(2);
    expect(most).toBeLessThanOrEqual(3);
    expect(await product.installation.query('SELECT message FROM account_events WHERE level <> $1', ['info'])).toEqual(
      [],
    );
  });
});
