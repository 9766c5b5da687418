import { Injectable } from '@nestjs/common';

import type { BlobRef } from '#libs/blobs/blob-store.js';
import { AccountWriter } from '#libs/changes/account-writer.js';
import { InvalidRequest, NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';

import type { AccountRef } from '../accounts/account-ref.js';

export interface Upload {
  readonly filename: string | null;
  readonly contentType: string;
  readonly blob: BlobRef;
}

/** Files that users bring along, to be attached to drafts. */
@Injectable()
export class Uploads {
  constructor(private readonly writer: AccountWriter) {}

  /** @returns their ids, in the same order */
  async add(account: AccountRef, uploads: readonly Upload[]): Promise<string[]> {
    return this.writer.write(account.id, async (tx) => {
      const ids = uploads.map(() => newId());
      for (const [index, { filename, contentType, blob }] of uploads.entries()) {
        await tx.query(
          `INSERT INTO files (account_id, id, filename, content_type, size, disposition, blob_key)
           VALUES ($1, $2, $3, $4, $5, 'attachment', $6)`,
          [account.id, ids[index], filename, contentType, blob.size, blob.key],
        );
        tx.changes.record('create', 'file', ids[index]!);
      }
      return ids;
    });
  }

  /** @throws NotFound; InvalidRequest when it is attached to a message or a draft */
  async remove(account: AccountRef, id: string): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const [file] = await tx.query<{ message_id: string | null }>(
        'SELECT message_id FROM files WHERE account_id = $1 AND id = $2',
        [account.id, id],
      );
      if (!file) throw new NotFound('file', id);
      if (file.message_id !== null) throw new InvalidRequest("Can't delete file that is attachment.");
      await tx.query('DELETE FROM files WHERE account_id = $1 AND id = $2', [account.id, id]);
      tx.changes.record('delete', 'file', id);
    });
  }
}
