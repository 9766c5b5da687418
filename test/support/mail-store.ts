import type { DataSource } from 'typeorm';

import { AccountWriter } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { createDataSource, poolOf } from '#libs/database/data-source.js';
import { parseWhole } from '#libs/mime/parse-message.js';
import { type FolderRef, ingest, type ReadMessage } from '#libs/sync/mail/ingest.js';

import { createDatabase } from './servers.js';

/** A database with one account and its folders, for tests of what happens below the drivers. */
export class MailStore {
  readonly accountId = newId();
  readonly folders = new Map<string, FolderRef>();

  private constructor(
    readonly dataSource: DataSource,
    readonly writer: AccountWriter,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  static async create(folders: Record<string, string | null> = { INBOX: 'inbox', Sent: 'sent', Archive: 'archive' }) {
    const database = await createDatabase();
    const dataSource = await createDataSource({
      url: database.url,
      poolSize: 4,
      applicationName: 'test',
    }).initialize();
    const store = new MailStore(dataSource, new AccountWriter(poolOf(dataSource)), () => database.drop());
    await dataSource.query(
      `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings,
         organization_unit, sync_state) VALUES ($1, 'app', 'me@x', 'me@x', 'Me', 'imap', 'imap', '{}', 'folder', 'running')`,
      [store.accountId],
    );
    for (const [path, role] of Object.entries(folders)) {
      const folder = { id: newId(), path, role };
      store.folders.set(path, folder);
      await dataSource.query(
        `INSERT INTO categories (account_id, id, kind, role, path, display_name) VALUES ($1, $2, 'folder', $3, $4, $4)`,
        [store.accountId, folder.id, role, path],
      );
      await dataSource.query('INSERT INTO folder_syncs (account_id, folder_id) VALUES ($1, $2)', [
        store.accountId,
        folder.id,
      ]);
    }
    return store;
  }

  async stop(): Promise<void> {
    await this.dataSource.destroy();
    await this.dropDatabase();
  }

  folder(path: string): FolderRef {
    return this.folders.get(path)!;
  }

  /** Stores messages as a pass or a slice would. */
  async ingest(path: string, messages: readonly ReadMessage[], fresh = false): Promise<void> {
    await this.writer.write(this.accountId, (tx) =>
      ingest(tx, { folder: this.folder(path), owner: 'me@x', fresh }, messages),
    );
  }

  async rows<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.dataSource.query<Row[]>(sql, parameters);
  }

  /** Folders of which `synced` is not the number of their uids. There must be none, whatever was done. */
  async miscounted(): Promise<unknown[]> {
    return this.rows(
      `SELECT path, synced FROM folder_syncs sync JOIN categories folder ON folder.id = sync.folder_id
       WHERE synced <> (SELECT count(*) FROM message_uids place
                        WHERE place.folder_id = sync.folder_id AND place.uid > 0)`,
    );
  }

  /** The change log since a number, as `event object`. */
  async changesSince(seq: number): Promise<string[]> {
    const rows = await this.rows<{ event: string; object_type: string }>(
      'SELECT event, object_type FROM changes WHERE account_id = $1 AND seq > $2 ORDER BY seq',
      [this.accountId, seq],
    );
    return rows.map((row) => `${row.event} ${row.object_type}`);
  }

  async lastSeq(): Promise<number> {
    const [row] = await this.rows<{ seq: string }>('SELECT change_seq AS seq FROM accounts WHERE id = $1', [
      this.accountId,
    ]);
    return Number(row!.seq);
  }

  /** Message-IDs of each thread, sorted. */
  async threads(): Promise<string[][]> {
    const rows = await this.rows<{ ids: string[] }>(
      `SELECT array_agg(message_id_header ORDER BY message_id_header) AS ids FROM messages
       WHERE account_id = $1 GROUP BY thread_id ORDER BY 1`,
      [this.accountId],
    );
    return rows.map((row) => row.ids);
  }
}

/** A message as read from a server, from its raw text with LF line ends. */
export function readMessage(uid: number, text: string, fields: Partial<ReadMessage> = {}): ReadMessage {
  const source = Buffer.from(text.replaceAll('\n', '\r\n'));
  return {
    uid,
    flags: [],
    receivedAt: new Date(1_700_000_000_000 + uid * 1000),
    size: source.length,
    emailId: null,
    providerThreadId: null,
    parsed: parseWhole(source),
    ...fields,
  };
}
