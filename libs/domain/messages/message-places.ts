import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

/** Where the provider keeps a copy of a message. */
export interface MessagePlace {
  readonly path: string;
  readonly uid: number;
}

export interface FilePlace {
  /** Null for an upload that is in no message. */
  readonly messageId: string | null;
  readonly part: string | null;
  readonly size: number;
}

/** Which folder and uid to fetch a message's or file's bytes from. */
@Injectable()
export class MessagePlaces {
  constructor(private readonly reader: Reader) {}

  /** Every copy, steady folders before spam and trash, the newest first. Empty when there is no such message, or it is gone there. */
  async ofMessage(accountId: string, messageId: string): Promise<MessagePlace[]> {
    const rows = await this.reader.rows<{ path: string; uid: string }>(
      `SELECT c.path, u.uid FROM message_uids u
       JOIN categories c ON c.account_id = u.account_id AND c.id = u.folder_id
       WHERE u.account_id = $1 AND u.message_id = $2 AND u.uid > 0
       ORDER BY coalesce(c.role IN ('trash', 'spam'), false), u.folder_id, u.uid DESC LIMIT 10`,
      [accountId, messageId],
      'message-places',
    );
    return rows.map((row) => ({ path: row.path, uid: Number(row.uid) }));
  }

  async ofFile(accountId: string, fileId: string): Promise<FilePlace | null> {
    const [row] = await this.reader.rows<{ message_id: string | null; part: string | null; size: string }>(
      'SELECT message_id, part, size FROM files WHERE account_id = $1 AND id = $2',
      [accountId, fileId],
      'file-place',
    );
    return row ? { messageId: row.message_id, part: row.part, size: Number(row.size) } : null;
  }

  /** So that the next download needs no provider, until the blob expires. */
  async rememberBlob(accountId: string, fileId: string, blobKey: string): Promise<void> {
    await this.reader.rows('UPDATE files SET blob_key = $3 WHERE account_id = $1 AND id = $2', [
      accountId,
      fileId,
      blobKey,
    ]);
  }
}
