import net, { type AddressInfo } from 'node:net';

import { type SmtpPeer, type SmtpPeerOptions, startSmtp } from '../../apps/launcher/peers/smtp.js';
import { EgressGuard } from '#libs/common/egress-guard.js';
import type { ServerSettings } from '#libs/providers/contracts/connection-settings.js';

import { verifySmtp } from '#libs/providers/smtp/verify-smtp.js';

describe('verifySmtp', () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  const peer = async (tls?: SmtpPeerOptions['tls']): Promise<SmtpPeer> => {
    const smtp = await startSmtp({ users: { 'ada@example.com': 'pw' }, ...(tls ? { tls } : {}) });
    stops.push(() => smtp.stop());
    return smtp;
  };
  const verify = (
    port: number,
    over: Partial<ServerSettings> = {},
    password = 'pw',
    allowPrivate = true,
    timeoutMs = 30_000,
  ) => {
    const guard = new EgressGuard({ allowPrivate });
    return verifySmtp(
      { host: 'localhost', port, security: 'none', username: 'ada@example.com', verifyCertificate: true, ...over },
      password,
      { connect: (host, at, timeoutMs) => guard.connect(host, at, timeoutMs, 'smtp_host'), timeoutMs },
    );
  };

  it('signs in', async () => {
    await verify((await peer()).port);
  });

  it('tells a wrong password', async () => {
    await expect(verify((await peer()).port, {}, 'wrong')).rejects.toMatchObject({ kind: 'credentials' });
  });

  it('insists on STARTTLS when it is asked for', async () => {
    await expect(verify((await peer()).port, { security: 'starttls' })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('STARTTLS'),
    });
  });

  it('tells a port that speaks no TLS', async () => {
    await expect(verify((await peer()).port, { security: 'tls' })).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'The SMTP server does not speak TLS on this port.',
    });
  });

  it.each(['starttls', 'tls'] as const)(
    'trusts a self-signed certificate with %s only when told so',
    async (security) => {
      const { port } = await peer({ mode: security === 'tls' ? 'implicit' : 'starttls' });
      await expect(verify(port, { security })).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('certificate is not trusted'),
      });
      await verify(port, { security, verifyCertificate: false });
    },
  );

  it('never sends a password to a server that only speaks plain text, unless told to', async () => {
    const { port } = await peer({ mode: 'starttls' });
    await expect(verify(port, { security: 'none' })).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('over TLS only'),
    });
  });

  it('tells a closed port, an unknown name and a refused address', async () => {
    const { port, stop } = await startSmtp({ users: {} });
    await stop();
    await expect(verify(port)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    await expect(verify(port, {}, 'pw', false)).rejects.toMatchObject({
      cause: { status: 400, message: expect.stringContaining('smtp_host') },
    });
  });

  it('gives up on a server that says nothing', async () => {
    const sockets = new Set<net.Socket>();
    const silent = net.createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    stops.push(async () => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const started = Date.now();
    const { port } = silent.address() as AddressInfo;
    await expect(verify(port, {}, 'pw', true, 1000)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(Date.now() - started).toBeLessThan(15_000);
  });
});
