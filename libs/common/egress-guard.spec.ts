import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { request } from 'undici';

import { EgressGuard, EgressRefused, isAllowedAddress } from './egress-guard.js';
import { guardedDispatcher } from './guarded-fetch.js';

describe('isAllowedAddress', () => {
  it.each(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])('lets %s through', (address) => {
    expect(isAllowedAddress(address, false)).toBe(true);
  });

  const privateOnes = [
    '127.0.0.1',
    '127.9.9.9',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
  ];
  const mapped = ['::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::a00:1', '::10.0.0.1'];
  const never = [
    '169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
  ];
  const special = [
    '168.63.129.16',
    '::ffff:169.254.169.254',
    '2002:a00:1::',
    '2001:db8::1',
    '192.0.2.1',
    'fec0::1',
    'x',
  ];

  it.each([...privateOnes, ...mapped, ...never, ...special])('refuses %s', (address) => {
    expect(isAllowedAddress(address, false)).toBe(false);
  });
  it.each([...privateOnes, ...mapped])('lets %s through where private networks are allowed', (address) => {
    expect(isAllowedAddress(address, true)).toBe(true);
  });
  it.each([...never, ...special])('refuses %s even where private networks are allowed', (address) => {
    expect(isAllowedAddress(address, true)).toBe(false);
  });
});

describe('EgressGuard', () => {
  const names: Record<string, string[]> = {
    'mail.example.com': ['203.0.114.1'],
    'inside.example.com': ['10.0.0.5'],
    'mixed.example.com': ['10.0.0.5', '203.0.114.1'],
  };
  const guardOf = (allowPrivate: boolean, table = names) =>
    new EgressGuard({
      allowPrivate,
      lookup: async (host) =>
        (table[host] ?? [host]).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    });

  it('resolves names and keeps only addresses that may be reached', async () => {
    expect(await guardOf(false).resolve('mail.example.com')).toEqual([{ address: '203.0.114.1', family: 4 }]);
    expect(await guardOf(false).resolve('mixed.example.com')).toEqual([{ address: '203.0.114.1', family: 4 }]);
  });

  it('refuses a name that leads inside, naming the setting', async () => {
    await expect(guardOf(false).resolve('inside.example.com', 'imap_host')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('imap_host: connections to inside.example.com are refused'),
    });
    expect(await guardOf(true).resolve('inside.example.com')).toHaveLength(1);
  });

  it('says how to allow what can be allowed', async () => {
    await expect(guardOf(false).resolve('10.0.0.7')).rejects.toThrow('start with EGRESS_ALLOW_PRIVATE=true');
    for (const metadata of ['169.254.169.254', '168.63.129.16']) {
      await expect(guardOf(false).resolve(metadata)).rejects.toThrow(/not a public address$/);
    }
  });

  it.each(['127.0.0.1', '[::1]', '2130706433', '0x7f.1'])('refuses %s through the system resolver', async (host) => {
    await expect(new EgressGuard({ allowPrivate: false }).resolve(host)).rejects.toThrow(EgressRefused);
  });

  describe('with a server on loopback', () => {
    let server: http.Server;
    let port: number;
    beforeAll(async () => {
      server = http.createServer((_request, response) => response.end('inside'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      port = (server.address() as AddressInfo).port;
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    const fetched = async (guard: EgressGuard, host: string) => {
      const dispatcher = guardedDispatcher(guard, 2000);
      try {
        const { body } = await request(`http://${host}:${port}/`, { dispatcher });
        return await body.text();
      } finally {
        await dispatcher.close();
      }
    };

    it.each(['127.0.0.1', 'trap.example.com', 'localhost'])('never connects to %s', async (host) => {
      const guard = guardOf(false, { 'trap.example.com': ['127.0.0.1'], localhost: ['127.0.0.1'] });
      await expect(fetched(guard, host)).rejects.toThrow(EgressRefused);
      await expect(guard.connect(host, port, 2000)).rejects.toThrow(EgressRefused);
    });

    it('connects to the checked address when it may', async () => {
      const guard = guardOf(true, { 'box.example.com': ['127.0.0.1'] });
      expect(await fetched(guard, 'box.example.com')).toBe('inside');
      const socket = await guard.connect('box.example.com', port, 2000);
      expect(socket.remoteAddress).toBe('127.0.0.1');
      socket.destroy();
    });
  });
});
