import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { EgressGuard } from '#libs/common/egress-guard.js';

import { detectProvider, type DetectionSources, knownSettings } from './detect-provider.js';
import { knownProviders } from './known-providers.js';
import { onlineSources } from './online-sources.js';

const xml = (incoming: string, domain = 'example.org') => `<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="${domain}"><domain>${domain}</domain><domain>alias.example</domain>
${incoming}
<outgoingServer type="smtp"><hostname>out.%EMAILDOMAIN%</hostname><port>587</port><socketType>STARTTLS</socketType>
<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>`;
const imap = (socketType: string, port: number, username = '%EMAILLOCALPART%', authentication = 'password-cleartext') =>
  `<incomingServer type="imap"><hostname>in.%EMAILDOMAIN%</hostname><port>${port}</port>
   <socketType>${socketType}</socketType><username>${username}</username>
   <authentication>${authentication}</authentication></incomingServer>`;

/** Sources that know what is given here and fail at everything else, as networks do. */
const sources = (over: Partial<DetectionSources> = {}): DetectionSources => ({
  mx: () => Promise.reject(new Error('ENOTFOUND')),
  srv: () => Promise.reject(new Error('ENOTFOUND')),
  fetch: () => Promise.reject(new Error('ECONNREFUSED')),
  localEntry: () => Promise.resolve(null),
  ...over,
});

describe('detectProvider', () => {
  it('knows providers by their domain, and the form of their user names', async () => {
    const icloud = await detectProvider('ada@icloud.com', sources(), false);
    expect(icloud).toMatchObject({ provider: 'icloud', source: 'known', signIn: 'app-password' });
    expect(icloud?.settings.imap).toEqual({
      host: 'imap.mail.me.com',
      port: 993,
      security: 'tls',
      username: 'ada',
      verifyCertificate: true,
    });
    expect(icloud?.settings.smtp).toMatchObject({ port: 587, security: 'starttls', username: 'ada@icloud.com' });
  });

  it.each([
    ['aspmx.l.google.com', 'gmail'],
    ['example-org.mail.protection.outlook.com', 'office365'],
    ['IN1-SMTP.messagingengine.com.', 'fastmail'],
  ])('knows who hosts a domain by its MX %s', async (host, provider) => {
    const found = await detectProvider('ada@example.org', sources({ mx: async () => [host] }), true);
    expect(found).toMatchObject({ provider, source: 'mx' });
  });

  it('is not fooled by an MX that merely looks alike', async () => {
    expect(await detectProvider('ada@example.org', sources({ mx: async () => ['evilgoogle.com'] }), true)).toBeNull();
  });

  it('reads SRV records; "." means no', async () => {
    const records: Record<string, { name: string; port: number }> = {
      '_imaps._tcp.example.org': { name: '.', port: 0 },
      '_imap._tcp.example.org': { name: 'mail.example.org', port: 143 },
      '_submission._tcp.example.org': { name: 'mail.example.org', port: 465 },
    };
    const srv = async (name: string) => (records[name] ? [{ ...records[name], priority: 0, weight: 0 }] : []);
    const found = await detectProvider('ada@example.org', sources({ srv }), true);
    expect(found).toMatchObject({
      provider: 'imap',
      source: 'srv',
      settings: { imap: { port: 143, security: 'starttls' }, smtp: { port: 465, security: 'tls' } },
    });
  });

  it('takes the preferred SRV record', async () => {
    const srv = async (name: string) =>
      name.startsWith('_imaps')
        ? [
            { name: 'second.example.org', port: 993, priority: 20, weight: 0 },
            { name: 'first.example.org', port: 993, priority: 10, weight: 0 },
          ]
        : [];
    const found = await detectProvider('ada@example.org', sources({ srv }), true);
    expect(found?.settings).toMatchObject({ imap: { host: 'first.example.org' }, smtp: null });
  });

  it('reads the domain’s own autoconfig before the public collection', async () => {
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      return url.includes('/.well-known/')
        ? xml(imap('SSL', 993))
        : url.includes('thunderbird')
          ? xml(imap('SSL', 1))
          : null;
    };
    const found = await detectProvider('ada@example.org', sources({ fetch }), true);
    expect(found?.settings).toEqual({
      imap: { host: 'in.example.org', port: 993, security: 'tls', username: 'ada', verifyCertificate: true },
      smtp: {
        host: 'out.example.org',
        port: 587,
        security: 'starttls',
        username: 'ada@example.org',
        verifyCertificate: true,
      },
    });
    expect(asked.every((url) => url.startsWith('https://'))).toBe(true);
  });

  it('passes over servers without TLS, and says when only OAuth helps', async () => {
    const of = (text: string) => detectProvider('ada@example.org', sources({ fetch: async () => text }), true);
    expect((await of(xml(imap('plain', 143) + imap('STARTTLS', 143))))?.settings.imap.security).toBe('starttls');
    expect(await of(xml(imap('plain', 143)))).toBeNull();
    expect((await of(xml(imap('SSL', 993, '%EMAILADDRESS%', 'OAuth2'))))?.signIn).toBe('oauth');
  });

  it.each(['<html><body>Not found', '{"a":1}', '', '<clientConfig/>', xml(imap('SSL', 99_999)), xml('')])(
    'makes nothing of %j',
    async (text) => {
      expect(await detectProvider('ada@example.org', sources({ fetch: async () => text }), true)).toBeNull();
    },
  );

  it('asks nobody when it may not go online', async () => {
    const never = () => Promise.reject(new Error('asked'));
    const mx = jest.fn(never);
    expect(await detectProvider('ada@example.org', sources({ mx }), false)).toBeNull();
    expect(mx).not.toHaveBeenCalled();
  });

  it.each(['', 'ada', 'ada@', '@example.org', 'ada@localhost', 'ada@exa mple.org'])('refuses %j', async (email) => {
    expect(await detectProvider(email, sources(), true)).toBeNull();
  });
});

describe('a folder of ISPDB files', () => {
  it('answers for every domain a file lists', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'postrider-ispdb-'));
    await writeFile(path.join(dir, 'example.org.xml'), xml(imap('SSL', 993)));
    const real = onlineSources(new EgressGuard({ allowPrivate: false }), dir);
    expect(await detectProvider('ada@alias.example', real, false)).toMatchObject({
      source: 'local',
      settings: { imap: { host: 'in.alias.example' } },
    });
    expect(await detectProvider('ada@other.example', real, false)).toBeNull();
    await rm(dir, { recursive: true });
  });
});

describe('the known providers', () => {
  it('claim no domain twice and use TLS throughout', () => {
    const domains = knownProviders.flatMap((provider) => provider.domains);
    expect(new Set(domains).size).toBe(domains.length);
    expect(knownProviders.flatMap((p) => [p.imap, p.smtp]).filter((s) => s.security === 'none')).toEqual([]);
  });

  it('can be named for an address in a domain of its own', () => {
    expect(knownSettings('yahoo', 'ada@example.org')?.settings.imap.host).toBe('imap.mail.yahoo.com');
    expect(knownSettings('zoho', 'ada@zoho.eu')?.settings.imap.host).toBe('imap.zoho.eu');
    expect(knownSettings('nobody', 'ada@example.org')).toBeNull();
  });
});
