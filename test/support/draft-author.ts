import { Readable } from 'node:stream';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { AccountWriter } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';
import type { DraftFields } from '#libs/domain/drafts/draft-fields.js';
import { Drafts } from '#libs/domain/drafts/drafts.service.js';
import { Uploads } from '#libs/domain/files/uploads.service.js';
import type { MailContents } from '#libs/domain/messages/mail-contents.service.js';

import { ActingAccount } from './acting-account.js';
import type { EngineOptions } from './engine.js';

export interface DraftView {
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  readonly draft: boolean;
  readonly body: string;
}

/** Writes drafts here, and with another mail program in the same mailbox. */
export class DraftAuthor {
  private readonly drafts: Drafts;

  private constructor(readonly account: ActingAccount) {
    const { engine } = account;
    const contents = {} as MailContents; // Only asked for files of other messages.
    this.drafts = new Drafts(engine.app.get(AccountWriter), engine.app.get(Reader), contents, { FILE_LIMIT_MB: 25 });
  }

  /** In an account on an engine of its own. */
  static async start(options: EngineOptions): Promise<DraftAuthor> {
    return new DraftAuthor(await ActingAccount.start(options));
  }

  async create(subject: string, fields: DraftFields = {}): Promise<string> {
    return this.drafts.create(this.account.ref, { subject, body: `<p>About ${subject}</p>`, ...fields });
  }

  /** @returns the id of a file to attach */
  async upload(filename: string, contentType: string, content: string): Promise<string> {
    const { app } = this.account.engine;
    const blob = await app.get(BlobStore, { strict: false }).put(Readable.from([Buffer.from(content)]));
    const [id] = await new Uploads(app.get(AccountWriter)).add(this.account.ref, [{ filename, contentType, blob }]);
    return id!;
  }

  async update(id: string, version: number, fields: DraftFields): Promise<void> {
    await this.drafts.update(this.account.ref, id, version, fields);
  }

  async remove(id: string): Promise<void> {
    await this.drafts.remove(this.account.ref, id, null);
  }

  /** Looks at everything, and does what is due, as a session does, until both have had their turn. */
  async rest(): Promise<void> {
    for (let time = 0; time < 3; time += 1) {
      await this.account.round();
      await this.account.act();
    }
  }

  /** Messages and drafts here, oldest first. */
  async shown(): Promise<DraftView[]> {
    return this.account.engine.rows<DraftView>(
      `SELECT id, subject, version, draft, coalesce(body, '') AS body
       FROM messages LEFT JOIN message_bodies text ON text.account_id = messages.account_id AND text.message_id = id
       WHERE messages.account_id = $1 ORDER BY messages.created_at, id`,
      [this.account.id],
    );
  }

  /** Sources of what lies in a folder, by uid. */
  async saved(folder = 'Drafts'): Promise<string[]> {
    const { client } = this.account;
    const { exists } = await client.mailboxOpen(folder);
    const found: string[] = [];
    if (exists > 0) {
      for await (const row of client.fetch('1:*', { source: true })) found.push(row.source?.toString('latin1') ?? '');
    }
    return found;
  }

  /** As a mail program does that keeps the Message-ID: a new copy, then the old one goes. @returns its source */
  editElsewhere(subject: string, options?: { readonly keepOld?: boolean }): Promise<string> {
    return this.replaceElsewhere(/^Subject: .*$/m, `Subject: ${subject}`, options);
  }

  async replaceElsewhere(
    part: string | RegExp,
    by: string,
    { keepOld = false }: { readonly keepOld?: boolean } = {},
  ): Promise<string> {
    const { client } = this.account;
    const [source = ''] = await this.saved();
    const uids = await client.search({ all: true }, { uid: true });
    const edited = source.replace(part, by);
    await client.append('Drafts', edited, ['\\Draft', '\\Seen']);
    if (!keepOld && uids) await client.messageDelete(uids, { uid: true });
    return edited;
  }

  /** Before each test: nothing in these folders, no drafts or messages here, and nothing left to be done. */
  async beginAnew(folders: readonly string[]): Promise<void> {
    const forget = () => this.account.engine.rows('DELETE FROM actions');
    await forget();
    for (const folder of folders) await this.empty(folder);
    await this.rest();
    await forget();
    expect(await this.shown()).toEqual([]);
  }

  async empty(folder: string): Promise<void> {
    const { exists } = await this.account.client.mailboxOpen(folder);
    if (exists > 0) await this.account.client.messageDelete('1:*');
  }
}

/** Subjects of messages as they lie in a folder. */
export const subjectsOf = (sources: readonly string[]): string[] =>
  sources.map((source) => /^Subject: (.*?)\r?$/m.exec(source)?.[1] ?? '');
