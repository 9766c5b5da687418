import { Client } from 'pg';

import { sha256 } from '#libs/common/hash.js';
import { newId, newSecret } from '#libs/common/ids.js';
import { ParticipantField, canonicalEmail, type Participant } from '#libs/common/participants.js';
import { refreshThreads } from '#libs/domain/threads/refresh-threads.js';

export interface SeededAccount {
  readonly id: string;
  readonly token: string;
  readonly email: string;
  /** Folder or label ids by path. */
  readonly folders: Readonly<Record<string, string>>;
}

export interface AccountSpec {
  readonly email?: string;
  readonly unit?: 'folder' | 'label';
  /** Id of the application that connected it. */
  readonly application?: string;
  /** Role by path; null for a custom one. */
  readonly folders?: Readonly<Record<string, string | null>>;
}

export interface MessageSpec {
  readonly threadId?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly replyTo?: readonly string[];
  /** Unix seconds. */
  readonly at?: number;
  readonly unread?: boolean;
  readonly starred?: boolean;
  readonly draft?: boolean;
  readonly sent?: boolean;
  /** Paths. */
  readonly folders?: readonly string[];
  readonly body?: string;
  readonly snippet?: string;
  readonly files?: readonly FileSpec[];
  readonly messageIdHeader?: string;
  readonly inReplyTo?: string;
  readonly references?: readonly string[];
}

export interface FileSpec {
  readonly filename?: string | null;
  readonly contentType?: string;
  readonly size?: number;
  readonly contentId?: string | null;
  readonly disposition?: 'attachment' | 'inline';
}

export interface SeededMessage {
  readonly id: string;
  readonly threadId: string;
  readonly fileIds: readonly string[];
}

const STANDARD_FOLDERS = { INBOX: 'inbox', Sent: 'sent', Drafts: 'drafts', 'Taxes/2024': null };
/** 2024-01-01, and an hour on for each message without a date of its own. */
const FIRST_DATE = 1_704_067_200;

const participant = (text: string): Participant => {
  const [, name = '', email = text] = /^(.*?)\s*<(.+)>$/.exec(text) ?? [];
  return { name, email };
};

/** Puts accounts and mail straight into a database, as a finished sync would have left them. */
export class Seed {
  private clock = FIRST_DATE;
  private uid = 0;
  /** Files are listed by id: in the order in which they were made. */
  private fileTime = FIRST_DATE * 1000;

  private constructor(private readonly client: Client) {}

  static async open(databaseUrl: string): Promise<Seed> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    return new Seed(client);
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  async sql(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.client.query<Record<string, unknown>>(text, [...values])).rows;
  }

  async account(spec: AccountSpec = {}): Promise<SeededAccount> {
    const { email, unit = 'folder', application = 'app', folders = STANDARD_FOLDERS } = spec;
    const id = newId();
    const address = email ?? `${id}@example.com`;
    await this.sql(
      `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
         organization_unit, sync_state, linked_at)
       VALUES ($1, $2, $3, $4, 'Ada Owner', 'imap', 'imap', '{}', $5, 'running', to_timestamp(1700000000))`,
      [id, application, address, canonicalEmail(address), unit],
    );
    const ids: Record<string, string> = {};
    for (const [path, role] of Object.entries(folders)) {
      ids[path] = newId();
      await this.sql(
        `INSERT INTO categories (account_id, id, kind, role, path, display_name, delimiter)
         VALUES ($1, $2, $3, $4, $5, $5, '/')`,
        [id, ids[path], unit, role, path],
      );
    }
    return { id, token: await this.token(id), email: address, folders: ids };
  }

  async token(accountId: string, scopes: readonly string[] = []): Promise<string> {
    const token = newSecret();
    await this.sql(
      `INSERT INTO access_tokens (id, account_id, application_id, token_hash, scopes) VALUES ($1, $2, 'app', $3, $4)`,
      [newId(), accountId, sha256(token), scopes],
    );
    return token;
  }

  /** Stores a message and refreshes its thread: a new one unless `threadId` names another. */
  async message(account: SeededAccount, spec: MessageSpec = {}): Promise<SeededMessage> {
    const id = newId();
    const threadId = spec.threadId ?? newId();
    const at = new Date((spec.at ?? (this.clock += 3600)) * 1000);
    const folderIds = (spec.folders ?? ['INBOX']).map((path) => account.folders[path] ?? path);
    const fields = addressesOf(spec);
    const bits = emailBits(fields);
    const files = spec.files ?? [];
    await this.sql(
      `INSERT INTO messages (account_id, id, thread_id, identity, message_id_header, in_reply_to, "references", subject,
         snippet, "from", "to", cc, bcc, reply_to, emails, email_fields, received_at, size, unread, starred, draft,
         sent, has_attachments, category_ids)
       VALUES ($1, $2, $3, gen_random_uuid(), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1000, $17, $18,
         $19, $20, $21, $22)`,
      [
        account.id,
        id,
        threadId,
        spec.messageIdHeader ?? `${id}@example.com`,
        spec.inReplyTo ?? null,
        spec.references ?? [],
        spec.subject ?? 'Hello',
        spec.snippet ?? 'Hello there',
        ...(['from', 'to', 'cc', 'bcc', 'replyTo'] as const).map((field) => JSON.stringify(fields[field])),
        [...bits.keys()],
        [...bits.values()],
        at,
        spec.unread ?? false,
        spec.starred ?? false,
        spec.draft ?? false,
        spec.sent ?? false,
        files.some((file) => file.disposition !== 'inline'),
        folderIds.toSorted(),
      ],
    );
    await this.sql(`INSERT INTO message_bodies (account_id, message_id, body) VALUES ($1, $2, $3)`, [
      account.id,
      id,
      spec.body ?? '<p>Hello</p>',
    ]);
    await this.places(account.id, id, folderIds, at, flagsOf(spec));
    const fileIds = await this.files(account.id, id, files);
    await refreshThreads(
      {
        query: async <Row>(text: string, values: readonly unknown[] = []) => (await this.sql(text, values)) as Row[],
      },
      account.id,
      [threadId],
    );
    return { id, threadId, fileIds };
  }

  private async places(
    accountId: string,
    messageId: string,
    folderIds: readonly string[],
    at: Date,
    flags: readonly string[],
  ): Promise<void> {
    for (const folderId of folderIds) {
      await this.sql(
        `INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [accountId, folderId, (this.uid += 1), messageId, flags, at],
      );
    }
  }

  async files(accountId: string, messageId: string | null, files: readonly FileSpec[]): Promise<string[]> {
    const ids: string[] = [];
    for (const [index, file] of files.entries()) {
      const id = newId(this.fileTime++);
      ids.push(id);
      await this.sql(
        `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, content_id, disposition)
         VALUES ($1, $2, $3, $9, $4, $5, $6, $7, $8)`,
        [
          accountId,
          id,
          messageId,
          file.filename === undefined ? 'plan.pdf' : file.filename,
          file.contentType ?? 'application/pdf',
          file.size ?? 1234,
          file.contentId ?? null,
          file.disposition ?? 'attachment',
          messageId === null ? null : String(index + 2),
        ],
      );
    }
    return ids;
  }
}

const flagsOf = ({ unread = false, starred = false }: MessageSpec): string[] => [
  ...(unread ? [] : ['\\Seen']),
  ...(starred ? ['\\Flagged'] : []),
];

function addressesOf(spec: MessageSpec) {
  return {
    from: [participant(spec.from ?? 'Ben Sender <ben@example.net>')],
    to: (spec.to ?? ['Ada Owner <ada@example.com>']).map(participant),
    cc: (spec.cc ?? []).map(participant),
    bcc: (spec.bcc ?? []).map(participant),
    replyTo: (spec.replyTo ?? []).map(participant),
  };
}

/** Canonical addresses and the fields they stand in. */
function emailBits(
  fields: Readonly<Record<keyof typeof ParticipantField, readonly Participant[]>>,
): Map<string, number> {
  const bits = new Map<string, number>();
  for (const [field, people] of Object.entries(fields)) {
    for (const { email } of people) {
      const key = canonicalEmail(email);
      bits.set(key, (bits.get(key) ?? 0) | ParticipantField[field as keyof typeof ParticipantField]);
    }
  }
  return bits;
}
