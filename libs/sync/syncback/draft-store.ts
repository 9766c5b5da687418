import { Injectable } from '@nestjs/common';

import type { Tx } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';
import type { Letter } from '#libs/mime/build-message.js';
import type { DraftKey } from '#libs/mime/draft-print.js';

import { draftKeyOf } from '../mail/draft-key.js';
import { insertUids } from '../mail/insert-rows.js';

export interface DraftFile {
  readonly id: string;
  readonly filename: string | null;
  readonly contentType: string;
  readonly contentId: string | null;
  readonly disposition: 'attachment' | 'inline';
  readonly part: string | null;
  readonly blobKey: string | null;
}

export interface DraftPlace {
  readonly folderId: string;
  readonly uid: number;
}

/** A draft with all that goes into its copy at the provider. */
export interface StoredDraft extends Letter {
  readonly id: string;
  readonly version: number;
  readonly draft: boolean;
  readonly receivedAt: Date;
  readonly files: readonly DraftFile[];
  /** Newest first. */
  readonly places: readonly DraftPlace[];
  /** A folder in which it lies was renumbered, and is still to be read. */
  readonly renumbered: boolean;
}

/** Drafts as the engine sees them. */
@Injectable()
export class DraftStore {
  constructor(private readonly reader: Reader) {}

  /** Null when there is no such draft any more, or it was not written here. */
  async find(accountId: string, id: string): Promise<StoredDraft | null> {
    const drafts = this.reader.rows<Omit<StoredDraft, 'files' | 'places' | 'renumbered'>>(
      `SELECT m.id, m.version, m.draft, m.message_id_header AS "messageIdHeader", m.in_reply_to AS "inReplyTo",
              m."references", m.subject, coalesce(b.body, '') AS body, m."from", m."to", m.cc, m.bcc,
              m.reply_to AS "replyTo", m.received_at AS "receivedAt"
       FROM messages m LEFT JOIN message_bodies b ON b.account_id = $1 AND b.message_id = m.id
       WHERE m.account_id = $1 AND m.id = $2 AND m.made_here`,
      [accountId, id],
      'draft-to-save',
    );
    const attached = this.reader.rows<DraftFile>(
      `SELECT id, filename, content_type AS "contentType", content_id AS "contentId", disposition, part,
              blob_key AS "blobKey"
       FROM files WHERE account_id = $1 AND message_id = $2 ORDER BY id`,
      [accountId, id],
      'files-to-save',
    );
    const known = this.reader.rows<{ folderId: string; uid: string }>(
      `SELECT folder_id AS "folderId", uid FROM message_uids WHERE account_id = $1 AND message_id = $2
       ORDER BY uid DESC`,
      [accountId, id],
      'places-of-draft',
    );
    const [[row], files, places] = await Promise.all([drafts, attached, known]);
    if (!row) return null;
    const all = places.map(({ folderId, uid }) => ({ folderId, uid: Number(uid) }));
    return { ...row, files, places: all.filter(({ uid }) => uid > 0), renumbered: all.some(({ uid }) => uid < 0) };
  }

  /** By which the account's copies of drafts are known. */
  key(accountId: string): Promise<DraftKey> {
    return draftKeyOf(accountId, (sql, parameters) => this.reader.rows<DraftKey>(sql, parameters, 'draft-key'));
  }

  /** Ties the draft to its copy. Recompute it afterwards. */
  async put(tx: Tx, draft: StoredDraft, folderId: string, uid: number, flags: readonly string[]): Promise<void> {
    await insertUids(tx, folderId, [{ read: { uid, flags }, messageId: draft.id, receivedAt: draft.receivedAt }]);
  }

  /** What its copy is known by. Not told of a copy that was taken for another message before this was known. */
  async know(tx: Tx, id: string, identity: string): Promise<void> {
    await tx.query(
      `UPDATE messages SET identity = $3 WHERE account_id = $1 AND id = $2
         AND NOT EXISTS (SELECT FROM messages other WHERE other.account_id = $1 AND other.identity = $3)`,
      [tx.accountId, id, identity],
    );
  }

  async isDraft(tx: Tx, id: string): Promise<boolean> {
    const found = await tx.query('SELECT FROM messages WHERE account_id = $1 AND id = $2 AND draft', [
      tx.accountId,
      id,
    ]);
    return found.length > 0;
  }

  /** By which numbers files can be fetched from the copy: their bytes need not be kept here. */
  async setParts(tx: Tx, messageId: string, parts: ReadonlyMap<string, string>): Promise<void> {
    if (parts.size === 0) return;
    await tx.query(
      `UPDATE files SET part = numbered.part FROM unnest($2::text[], $3::text[]) AS numbered(id, part)
       WHERE account_id = $1 AND files.id = numbered.id AND message_id = $4`,
      [tx.accountId, [...parts.keys()], [...parts.values()], messageId],
    );
  }
}
