import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { ImapFlow } from 'imapflow';

import { type Dovecot, startDovecot } from '../../../apps/launcher/peers/dovecot.js';
import type { Mailbox } from '../mailbox/generate.js';

export const mailUser = { address: 'ada@example.com', password: 'benchmark' } as const;

/**
 * Serves the generated Maildir. What Dovecot writes (uid lists, indexes) lies apart from it, and every measured run
 * gets its own copy of one and the same state, in which uids, flags, sizes and dates are indexed, as on a server that
 * has had the mail for a while.
 */
export class MailServers {
  private count = 0;

  private constructor(
    private readonly mailbox: Mailbox,
    private readonly dir: string,
  ) {}

  /** Indexes the mailbox and reads every file once, so that nobody pays for a cold disk. */
  static async prepare(mailbox: Mailbox, dir: string): Promise<MailServers> {
    const servers = new MailServers(mailbox, dir);
    const server = await servers.launch('prepare');
    await indexFolders(server);
    await server.stop();
    readAll(mailbox.dir);
    return servers;
  }

  async start(): Promise<Dovecot> {
    this.count += 1;
    const name = `run-${this.count}`;
    mkdirSync(path.join(this.dir, name), { recursive: true });
    for (const part of ['index', 'control']) {
      execFileSync('cp', ['-a', path.join(this.dir, 'prepare', part), path.join(this.dir, name, part)]);
    }
    execFileSync('sync'); // what the last one left in memory is not written at the cost of the next
    return this.launch(name);
  }

  private launch(name: string): Promise<Dovecot> {
    const home = path.join(this.dir, name);
    for (const part of ['index', 'control']) {
      mkdirSync(path.join(home, part), { recursive: true });
      chmodSync(path.join(home, part), 0o777); // the server may run as another user
    }
    return startDovecot({
      dir: home,
      users: { [mailUser.address]: mailUser.password },
      settings: { extra: `mail_location = maildir:${this.mailbox.dir}:INDEX=${home}/index:CONTROL=${home}/control` },
    });
  }
}

async function indexFolders(server: Dovecot): Promise<void> {
  const client = new ImapFlow({
    host: server.host,
    port: server.imapPort,
    secure: false,
    auth: { user: mailUser.address, pass: mailUser.password },
    logger: false,
  });
  await client.connect();
  for (const folder of await client.list()) {
    if (folder.flags.has('\\NonExistent') || folder.flags.has('\\Noselect')) continue;
    const { exists } = await client.mailboxOpen(folder.path, { readOnly: true });
    if (exists > 0) await client.fetchAll('1:*', { uid: true, flags: true, size: true, internalDate: true });
  }
  await client.logout();
}

function readAll(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) readFileSync(path.join(entry.parentPath, entry.name));
  }
}
