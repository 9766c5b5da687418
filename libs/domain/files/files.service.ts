import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';

import { type FileView, type StoredFile, toFileView } from './file.view.js';

export interface FileFilter {
  readonly messageId?: string;
  readonly filename?: string;
  readonly contentType?: string;
}

const COLUMNS = `id, message_id, filename, content_type, size::text AS size, content_id, disposition, blob_key`;

/** Absent filters are null. Inline parts are no files of their own: they belong to a body. */
const MATCHING = `FROM files WHERE account_id = $1 AND disposition <> 'inline'
  AND ($2::text IS NULL OR message_id = $2) AND ($3::text IS NULL OR filename = $3)
  AND ($4::text IS NULL OR content_type = $4)`;

/** Reads of attachments and uploads. */
@Injectable()
export class FilesService {
  constructor(private readonly reader: Reader) {}

  async list(account: AccountRef, filter: FileFilter, page: Page): Promise<FileView[]> {
    const rows = await this.reader.rows<StoredFile>(`SELECT ${COLUMNS} ${MATCHING} ORDER BY id LIMIT $5 OFFSET $6`, [
      ...this.values(account, filter),
      page.limit,
      page.offset,
    ]);
    return rows.map((row) => toFileView(account.id, row));
  }

  async ids(account: AccountRef, filter: FileFilter, page: Page): Promise<string[]> {
    return (await this.list(account, filter, page)).map((file) => file.id);
  }

  async count(account: AccountRef, filter: FileFilter): Promise<{ count: number }> {
    const [row] = await this.reader.rows<{ count: number }>(
      `SELECT count(*)::int AS count ${MATCHING}`,
      this.values(account, filter),
    );
    return { count: row?.count ?? 0 };
  }

  /** @throws NotFound when the account has no such file. */
  async get(account: AccountRef, id: string): Promise<FileView> {
    return toFileView(account.id, await this.find(account, id));
  }

  /** Those of these files that are shown as files of their own: no inline parts. */
  async byIds(account: AccountRef, ids: readonly string[]): Promise<FileView[]> {
    if (ids.length === 0) return [];
    const rows = await this.reader.rows<StoredFile>(
      `SELECT ${COLUMNS} FROM files WHERE account_id = $1 AND id = ANY($2) AND disposition <> 'inline'`,
      [account.id, ids],
      'files-by-ids',
    );
    return rows.map((row) => toFileView(account.id, row));
  }

  /** The row itself, for downloads. @throws NotFound when the account has no such file. */
  async find(account: AccountRef, id: string): Promise<StoredFile> {
    const [row] = await this.reader.rows<StoredFile>(
      `SELECT ${COLUMNS} FROM files WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'file-by-id',
    );
    if (!row) throw new NotFound('file', id);
    return row;
  }

  private values(account: AccountRef, filter: FileFilter): unknown[] {
    return [account.id, filter.messageId ?? null, filter.filename ?? null, filter.contentType?.toLowerCase() ?? null];
  }
}
