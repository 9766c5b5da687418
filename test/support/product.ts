import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { ImapFlow } from 'imapflow';

import { type Dovecot, startDovecot } from '../../apps/launcher/peers/dovecot.js';
import type { DovecotSettings } from '../../apps/launcher/peers/dovecot-config.js';
import { type SmtpPeer, startSmtp } from '../../apps/launcher/peers/smtp.js';

import type { ApiAnswer, ApiClient } from './api-client.js';
import { Installation } from './installation.js';

const run = promisify(execFile);
const CLI = path.resolve(__dirname, '../../dist/apps/cli/main.js');

export const PASSWORD = 'correct-horse-9044';
const APPLICATION = { client_id: 'producttest00000000000001', client_secret: 'productsecret000000000001' };

/** A connected mailbox and its owner's view of the API. */
export interface ConnectedAccount {
  readonly id: string;
  /** Prefix of its paths in API v1. */
  readonly v1: string;
  readonly token: string;
  readonly api: ApiClient;
}

export interface ProductOptions {
  /** Local parts at example.com; all have the same password. */
  readonly users?: readonly string[];
  readonly dovecot?: DovecotSettings;
  readonly env?: Readonly<Record<string, string>>;
  /** Besides the first. */
  readonly moreWorkers?: readonly `worker-${number}`[];
  /** What is sent to these users comes back into their mailboxes; otherwise it is only kept. */
  readonly delivery?: boolean;
}

/** API and worker as built, in processes of their own, next to a real IMAP and SMTP server with mailboxes to connect. */
export class Product {
  private readonly clients: ImapFlow[] = [];

  private constructor(
    readonly installation: Installation,
    readonly dovecot: Dovecot,
    readonly smtp: SmtpPeer,
    private readonly dir: string,
    private readonly passwords: Record<string, string>,
  ) {}

  static async start(options: ProductOptions = {}): Promise<Product> {
    const { users = ['ada'], dovecot: settings, env = {}, moreWorkers = [], delivery = false } = options;
    const dir = await mkdtemp(path.join(tmpdir(), 'pr-'));
    const passwords = Object.fromEntries(users.map((user) => [`${user}@example.com`, PASSWORD]));
    const [installation, dovecot] = await Promise.all([
      Installation.create({ LOG_LEVEL: 'warn', SYNC_FOLDER_POLL_SECONDS: '1', SYNC_ORPHAN_GRACE_SECONDS: '1', ...env }),
      startDovecot({ dir, users: passwords, settings }),
    ]);
    const smtp = await startSmtp({ users: passwords, ...(delivery && { lmtpPort: dovecot.lmtpPort }) });
    await installation.command(['setup'], JSON.stringify({ ...APPLICATION, name: 'Product test' }));
    await installation.start('api', 'worker', ...moreWorkers);
    return new Product(installation, dovecot, smtp, dir, passwords);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.installation.stop();
    await this.dovecot.stop();
    await this.smtp.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A new mailbox. @param user its local part at example.com */
  addUser(user: string): void {
    this.passwords[`${user}@example.com`] = PASSWORD;
    this.dovecot.addUser(`${user}@example.com`, PASSWORD);
  }

  /** First half of native authentication. @param settings over what is right for this mailbox */
  authorize(user: string, settings: Readonly<Record<string, unknown>> = {}): Promise<ApiAnswer> {
    const login = (kind: string, port: number) => ({
      [`${kind}_host`]: '127.0.0.1',
      [`${kind}_port`]: port,
      [`${kind}_security`]: 'none',
      [`${kind}_username`]: `${user}@example.com`,
      [`${kind}_password`]: PASSWORD,
    });
    return this.post('/connect/authorize', {
      client_id: APPLICATION.client_id,
      name: user,
      email_address: `${user}@example.com`,
      provider: 'imap',
      scopes: 'email',
      settings: { ...login('imap', this.dovecot.imapPort), ...login('smtp', this.smtp.port), ...settings },
    });
  }

  /** Connects a mailbox as an application does. @throws Error with the API's answer when it refuses */
  async connect(user = 'ada', settings: Readonly<Record<string, unknown>> = {}): Promise<ConnectedAccount> {
    const authorized = await this.authorize(user, settings);
    if (authorized.status !== 200) throw new Error(`authorize answered ${authorized.status}: ${authorized.text}`);
    const { code } = authorized.json as { code: string };
    const answer = await this.post('/connect/token', { ...APPLICATION, code });
    if (answer.status !== 200) throw new Error(`token answered ${answer.status}: ${answer.text}`);
    const { id, access_token } = answer.json as { id: string; access_token: string };
    return { id, v1: `/n/${id}`, token: access_token, api: this.installation.client.as(access_token) };
  }

  /** Runs the command line as built. @returns what it printed @throws when it fails */
  async command(...words: readonly string[]): Promise<string> {
    const env = { PATH: process.env['PATH'], ...this.installation.env };
    return (await run(process.execPath, [CLI, ...words], { env })).stdout;
  }

  /** Another mail program of the same user. Closed with the product. */
  async mailProgram(user = 'ada', { imapPort } = this.dovecot): Promise<ImapFlow> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: imapPort,
      secure: false,
      doSTARTTLS: false,
      auth: { user: `${user}@example.com`, pass: PASSWORD },
      logger: false,
    });
    // Its commands say so when the connection breaks; without a listener the process would end.
    client.on('error', () => undefined);
    await client.connect();
    this.clients.push(client);
    return client;
  }

  /** Puts mail into a folder of the mailbox's Maildir, oldest first: quicker than IMAP, and without its limits. */
  async deliver(user: string, folder: string, messages: readonly (string | Buffer)[]): Promise<void> {
    const { uid, gid } = this.dovecot.owner;
    const root = this.dovecot.mailDir(`${user}@example.com`);
    const at = folder === 'INBOX' ? root : path.join(root, `.${folder}`);
    for (const each of new Set([root, at, ...['tmp', 'new', 'cur'].map((name) => path.join(at, name))])) {
      await mkdir(each, { recursive: true, mode: 0o700 });
      await chown(each, uid, gid);
    }
    const first = Math.floor(Date.now() / 1000) - messages.length;
    for (const [index, message] of messages.entries()) {
      const file = path.join(at, 'new', `${first + index}.M${index}P${process.pid}Q${(deliveries += 1)}.test`);
      await writeFile(file, message);
      await utimes(file, first + index, first + index);
      await chown(file, uid, gid);
    }
  }

  private post(where: string, body: object): Promise<ApiAnswer> {
    return this.installation.client.send(where, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}

let deliveries = 0;
