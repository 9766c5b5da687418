import { ImapFlow } from 'imapflow';

import type { Dovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { Random } from '../../bench/mailbox/random.js';
import { letter, messageId } from '../letters.js';

import type { Ledger } from './ledger.js';
import { namedMessages } from './mailbox-truth.js';
import { now, patiently } from './patience.js';

/** One thing a mail program does. `act` returns a few words on it. */
export interface Operation {
  readonly name: string;
  readonly act: (user: MailUser, client: ImapFlow) => Promise<string>;
}

export interface SomeMessages {
  readonly folder: string;
  readonly uids: string;
  /** Their Message-IDs. */
  readonly names: readonly string[];
}

export interface MailUserOptions {
  readonly name: string;
  readonly dovecot: Dovecot;
  readonly address: string;
  readonly password: string;
  readonly random: Random;
  readonly ledger: Ledger;
}

/** Folders that a server makes by itself; they stay. */
const fixed = new Set(['INBOX', 'Drafts', 'Sent', 'Junk', 'Trash', 'Archive']);
const folderNames = ['Work', 'Home', 'Zürich', 'Work/Plans', 'Taxes & more', 'A "quoted" one', 'Later', 'Later/2026'];
const flags = ['\\Seen', '\\Flagged', '\\Answered', '$Forwarded'];

/** What users call their folders. */
export const newFolderName = (random: Random): string => random.pick(folderNames);

/** One mail program of a mailbox that does whatever chance tells it. */
export class MailUser {
  /** What it did, one line each, for whoever reads about a difference. */
  readonly diary: string[] = [];
  private client: ImapFlow | null = null;
  private written = 0;
  private resets = 0;

  constructor(private readonly options: MailUserOptions) {}

  close(): void {
    this.client?.close();
    this.client = null;
  }

  /** Does one thing. A refusal (the folder was deleted meanwhile, the server is down) is part of life. */
  async step(repertoire: readonly (readonly [Operation, number])[]): Promise<void> {
    const { name, act } = this.options.random.weighted(repertoire);
    let outcome = '';
    try {
      outcome = await act(this, await this.connection());
    } catch (error) {
      outcome = `refused: ${error instanceof Error ? error.message : String(error)}`;
      if (!this.client?.usable) this.close();
    }
    this.diary.push(`${now()} ${this.options.name} ${name} ${outcome}`);
  }

  /** Does something that is to succeed; tries again while the server is down. @returns null when it is refused */
  calmly<T>(deed: (client: ImapFlow) => Promise<T>): Promise<T | null> {
    return patiently(async () => {
      const client = await this.connection();
      try {
        return await deed(client);
      } catch (error) {
        if (client.usable) return null;
        throw error;
      }
    });
  }

  get name(): string {
    return this.options.name;
  }

  get random(): Random {
    return this.options.random;
  }

  get address(): string {
    return this.options.address;
  }

  get ledger(): Ledger {
    return this.options.ledger;
  }

  /** A letter into a folder, often an answer to an earlier one. */
  async append(client: ImapFlow, folder: string): Promise<string> {
    const { letters } = this.ledger;
    const name = `${this.options.name}-${(this.written += 1)}`;
    const parent = letters.length > 0 && this.random.chance(0.4) ? this.random.pick(letters) : null;
    const topic = parent?.topic ?? `Topic ${name}`;
    const ancestors = parent ? [...parent.ancestors, parent.name] : [];
    const source = letter({
      name,
      subject: parent ? `Re: ${topic}` : topic,
      headers: parent
        ? [`In-Reply-To: ${messageId(parent.name)}`, `References: ${ancestors.map(messageId).join(' ')}`]
        : [],
      text: 'x'.repeat(this.random.logUniform(1, 20_000)),
    });
    const age = this.random.chance(0.5) ? 0 : this.random.int(0, 400) * 86_400_000;
    this.ledger.put([`${name}@mail.example`], folder);
    await client.append(folder, source, this.someFlags(), new Date(Date.now() - age));
    letters.push({ name, topic, ancestors });
    return `${name} to ${folder}`;
  }

  someFlags(): string[] {
    return flags.filter(() => this.random.chance(0.4));
  }

  /** Numbers a folder anew, as after its index was lost; whoever has it open is thrown out. @returns its UIDVALIDITY */
  async resetUids(folder: string): Promise<string> {
    const { dovecot, address } = this.options;
    const uidValidity = String(Math.floor(Date.now() / 1000) + (this.resets += 1));
    await dovecot.doveadm('mailbox', 'update', '-u', address, '--uid-validity', uidValidity, folder);
    return uidValidity;
  }

  async folders(client: ImapFlow): Promise<string[]> {
    const listed = await client.list();
    return listed.filter((folder) => !folder.flags.has('\\Noselect') && folder.path !== '').map(({ path }) => path);
  }

  async folder(client: ImapFlow): Promise<string> {
    return this.random.pick(await this.folders(client));
  }

  /** A folder that may be renamed and deleted; null when there is none. */
  async ownFolder(client: ImapFlow): Promise<string | null> {
    const own = (await this.folders(client)).filter((path) => !fixed.has(path));
    return own.length > 0 ? this.random.pick(own) : null;
  }

  newFolder(): string {
    return newFolderName(this.random);
  }

  /** Opens a folder with mail in it and picks some; null when there is none. */
  async someMessages(client: ImapFlow): Promise<SomeMessages | null> {
    const filled = (await client.list({ statusQuery: { messages: true } })).filter(({ status }) => status?.messages);
    if (filled.length === 0) return null;
    const folder = this.random.pick(filled).path;
    const share = this.random.pick([0.1, 0.5, 1]);
    const chosen = (await namedMessages(client, folder)).filter(() => this.random.chance(share));
    if (chosen.length === 0) return null;
    return { folder, uids: chosen.map(({ uid }) => uid).join(','), names: chosen.map(({ name }) => name) };
  }

  private async connection(): Promise<ImapFlow> {
    if (this.client?.usable) return this.client;
    const { dovecot, address, password } = this.options;
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: dovecot.imapPort,
      secure: false,
      doSTARTTLS: false,
      auth: { user: address, pass: password },
      logger: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    this.client = client;
    return client;
  }
}
