import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ImapFlow } from 'imapflow';

import { type Dovecot, startDovecot } from '../../apps/launcher/peers/dovecot.js';
import type { DovecotSettings } from '../../apps/launcher/peers/dovecot-config.js';
import type { ServerSettings } from '../../libs/providers/contracts/connection-settings.js';
import { ImapMailDriver } from '../../libs/providers/imap/imap-mail.driver.js';
import { type ContractSubject, itIsAMailDriver, type OtherClient } from '../support/mail-driver-contract.js';
import { itWritesMail } from '../support/mail-writer-contract.js';

const user = 'ada@example.com';
const password = 'pass: "wörd"\\';

class ImapClient implements OtherClient {
  constructor(private readonly flow: ImapFlow) {}

  async append(folder: string, source: string, flags: string[] = []): Promise<number> {
    const answer = await this.flow.append(folder, Buffer.from(source, 'latin1'), flags);
    return (answer && answer.uid) || 0;
  }

  async addFlags(folder: string, uid: number, flags: string[]): Promise<void> {
    await this.within(folder, () => this.flow.messageFlagsAdd(String(uid), flags, { uid: true }));
  }

  async remove(folder: string, uid: number): Promise<void> {
    await this.within(folder, () => this.flow.messageDelete(String(uid), { uid: true }));
  }

  async createFolder(folder: string): Promise<void> {
    await this.flow.mailboxCreate(folder);
  }

  async flags(folder: string, uid: number): Promise<string[]> {
    const found = await this.within(folder, () => this.flow.fetchOne(String(uid), { flags: true }, { uid: true }));
    return found ? [...(found.flags ?? [])] : [];
  }

  private async within<T>(folder: string, work: () => Promise<T>): Promise<T> {
    const lock = await this.flow.getMailboxLock(folder);
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}

const everything = 'IMAP4rev1 ENABLE IDLE NAMESPACE UIDPLUS MOVE SPECIAL-USE LITERAL+';

describe.each<[string, DovecotSettings, { qresync: boolean; condstore: boolean; idle: boolean }]>([
  ['a server with QRESYNC', {}, { qresync: true, condstore: true, idle: true }],
  [
    'a server with CONDSTORE only',
    { capabilities: `${everything} CONDSTORE` },
    { qresync: false, condstore: true, idle: true },
  ],
  ['a plain server', { capabilities: 'IMAP4rev1 UIDPLUS' }, { qresync: false, condstore: false, idle: false }],
  ['a server with nothing', { capabilities: 'IMAP4rev1' }, { qresync: false, condstore: false, idle: false }],
])('IMAP with %s', (_name, settings, capabilities) => {
  let dir: string;
  let server: Dovecot;
  let flow: ImapFlow;
  let login: ServerSettings;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'imap-'));
    server = await startDovecot({ dir, users: { [user]: password }, settings });
    login = { host: server.host, port: server.imapPort, security: 'none', username: user, verifyCertificate: true };
    flow = new ImapFlow({
      host: server.host,
      port: server.imapPort,
      secure: false,
      doSTARTTLS: false,
      auth: { user, pass: password },
      logger: false,
      disableCompression: true,
      disableAutoIdle: true,
    });
    await flow.connect();
  });

  afterAll(async () => {
    await flow.logout();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const subject = (): ContractSubject => ({
    open: () => ImapMailDriver.open(login, password, { quirks: { pollMs: 100 } }),
    other: new ImapClient(flow),
    missingFolder: 'No/Such/Folder',
  });
  describe('reading', () => itIsAMailDriver(subject));
  describe('writing', () => itWritesMail(subject));

  it('knows what the server can do', async () => {
    const driver = await ImapMailDriver.open(login, password);
    expect(driver.capabilities).toMatchObject(capabilities);
    await driver.close();
  });
});

describe('IMAP with TLS', () => {
  let dir: string;
  let server: Dovecot;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'imap-'));
    const settings = {
      tls: true,
      namespace: { prefix: 'INBOX.', separator: '.' },
      folders: { Sent: null, Taxes: null },
    };
    server = await startDovecot({ dir, users: { [user]: password }, settings });
  });

  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const login = (security: 'tls' | 'starttls', verifyCertificate: boolean): ServerSettings => ({
    host: 'localhost',
    port: (security === 'tls' ? server.imapsPort : server.imapPort) ?? 0,
    security,
    username: user,
    verifyCertificate,
  });

  it.each(['tls', 'starttls'] as const)('refuses a certificate nobody vouches for (%s)', async (security) => {
    await expect(ImapMailDriver.open(login(security, true), password)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('certificate is not trusted') as string,
    });
  });

  it.each(['tls', 'starttls'] as const)('takes it when the account says so (%s)', async (security) => {
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const driver = await ImapMailDriver.open(login(security, false), password, { resolve });
    expect((await driver.folders()).map(({ path: name, displayName, role }) => [name, displayName, role])).toEqual(
      expect.arrayContaining([
        ['INBOX', 'INBOX', 'inbox'],
        ['INBOX.Sent', 'Sent', 'sent'],
        ['INBOX.Taxes', 'Taxes', null],
      ]),
    );
    expect(await driver.uids('INBOX.Taxes')).toEqual([]);
    await driver.close();
  });

  it('says that the password is wrong', async () => {
    await expect(ImapMailDriver.open(login('tls', false), 'wrong')).rejects.toMatchObject({ kind: 'credentials' });
  });
});
