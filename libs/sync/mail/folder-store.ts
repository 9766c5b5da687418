import { Injectable } from '@nestjs/common';

import { noteEvents } from '#libs/changes/account-events.js';
import type { Tx } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { Reader } from '#libs/database/reader.js';
import type { FolderCursor, RemoteFolder } from '#libs/providers/contracts/mail-driver.js';

import type { NumberedFolder } from '#libs/providers/contracts/mail-writer.js';

import { dropAllUids, refreshFolder } from './uid-changes.js';
import { folderPriority, type FoldersPlan, type KnownFolder } from './plan-folders.js';

/** A folder with how far it has been read. */
export interface StoredFolder extends KnownFolder {
  readonly failures: number;
  readonly retryAt: Date | null;
  readonly sweptAt: Date | null;
  /** Backfill still has to read some of it. */
  readonly pending: boolean;
}

/**
 * Of a row of poison_uids: a minute after the first failure, then ten times longer each, at most a day. A message that
 * was absent once rests six seconds.
 */
export const REST = `least(interval '1 minute' * 10 ^ least(attempts - 1, 9), interval '1 day')`;
export const RESTING = `updated_at > now() - ${REST}`;

/** The folder as its uids are known here; under no number while it was not read. */
export const numbered = ({ path, cursor }: Pick<StoredFolder, 'path' | 'cursor'>): NumberedFolder => ({
  path,
  uidValidity: cursor?.uidValidity ?? '',
});

/** Folder rows and their sync state. */
@Injectable()
export class FolderStore {
  constructor(private readonly reader: Reader) {}

  /** In the order in which they should be read. */
  async list(accountId: string): Promise<StoredFolder[]> {
    const rows = await this.reader.rows<StoredFolder>(
      `SELECT folder.id, folder.path, folder.display_name AS "displayName", folder.role,
              sync.cursor, sync.failures, sync.retry_at AS "retryAt", sync.swept_at AS "sweptAt",
              EXISTS (SELECT FROM backfill_ranges waiting
                      WHERE waiting.account_id = $1 AND waiting.folder_id = folder.id) AS pending
       FROM categories folder
       JOIN folder_syncs sync ON sync.account_id = folder.account_id AND sync.folder_id = folder.id
       WHERE folder.account_id = $1 AND folder.kind = 'folder'`,
      [accountId],
      'folders-of-account',
    );
    return rows.toSorted((a, b) => folderPriority(a.role) - folderPriority(b.role) || (a.path < b.path ? -1 : 1));
  }

  /** Flags by uid: of the given uids, or of the whole folder. */
  async uids(accountId: string, folderId: string, only: readonly number[] | null): Promise<Map<number, string[]>> {
    const rows = await this.reader.rows<{ uid: string; flags: string[] }>(
      `SELECT uid, flags FROM message_uids WHERE account_id = $1 AND folder_id = $2 AND uid > 0
       ${only ? 'AND uid = ANY($3::bigint[])' : ''}`,
      only ? [accountId, folderId, only] : [accountId, folderId],
    );
    return new Map(rows.map((row) => [Number(row.uid), row.flags]));
  }

  /** Other folders in which messages with these identities are. */
  async ofCopies(accountId: string, folderId: string, identities: readonly string[]): Promise<string[]> {
    const rows = await this.reader.rows<{ folder_id: string }>(
      `SELECT DISTINCT place.folder_id FROM unnest($3::uuid[]) AS wanted(identity) CROSS JOIN LATERAL (
         SELECT id FROM messages WHERE account_id = $1 AND identity = wanted.identity OFFSET 0
       ) AS message CROSS JOIN LATERAL (
         SELECT folder_id FROM message_uids WHERE account_id = $1 AND message_id = message.id OFFSET 0
       ) AS place WHERE place.folder_id <> $2`,
      [accountId, folderId, identities],
      'folders-of-copies',
    );
    return rows.map((row) => row.folder_id);
  }

  async pendingRanges(accountId: string, folderId: string): Promise<{ low: number; high: number }[]> {
    const rows = await this.reader.rows<{ low_uid: string; next_uid: string }>(
      'SELECT low_uid, next_uid FROM backfill_ranges WHERE account_id = $1 AND folder_id = $2',
      [accountId, folderId],
      'ranges-of-folder',
    );
    return rows.map((row) => ({ low: Number(row.low_uid), high: Number(row.next_uid) }));
  }

  /** Uids that failed and rest. */
  async poisoned(accountId: string, folderId: string): Promise<Set<number>> {
    const rows = await this.reader.rows<{ uid: string }>(
      `SELECT uid FROM poison_uids WHERE account_id = $1 AND folder_id = $2 AND ${RESTING}`,
      [accountId, folderId],
      'poisoned-uids',
    );
    return new Set(rows.map((row) => Number(row.uid)));
  }
}

/** Notes that a folder could not be read, on its row, and in the account's log when it is news. */
export async function saveFailure(tx: Tx, folderId: string, reason: string, retryAt: Date): Promise<void> {
  const [row] = await tx.query<{ last_error: string | null }>(
    `UPDATE folder_syncs sync SET state = 'failing', last_error = $3, failures = failures + 1, retry_at = $4
     FROM (SELECT last_error FROM folder_syncs WHERE account_id = $1 AND folder_id = $2) AS before
     WHERE account_id = $1 AND folder_id = $2 RETURNING before.last_error`,
    [tx.accountId, folderId, reason, retryAt],
  );
  if (!row || row.last_error === reason) return;
  await noteEvents(tx, [{ level: 'warn', kind: 'folder.failing', message: reason, details: { folderId } }]);
}

/** The column's limit; what servers claim may be more. */
const MOST_MESSAGES = 2 ** 31 - 1;

/** Creates and changes folder rows as planned; `gone` are those whose absence has been proved. */
export async function saveFolders(tx: Tx, plan: FoldersPlan, gone: readonly KnownFolder[]): Promise<void> {
  for (const folder of gone) await deleteFolder(tx, folder.id);
  for (const { id, to, roleChanged } of plan.change) {
    await tx.query(
      `UPDATE categories SET path = $3, display_name = $4, role = $5, delimiter = $6
       WHERE account_id = $1 AND id = $2`,
      [tx.accountId, id, to.path, to.displayName, to.role, to.delimiter],
    );
    tx.changes.record('modify', 'folder', id);
    if (roleChanged) await refreshFolder(tx, id);
  }
  await createFolders(tx, plan.create);
}

async function createFolders(tx: Tx, folders: readonly RemoteFolder[]): Promise<void> {
  if (folders.length === 0) return;
  // A path that is taken is that of a folder made through the API, which another client has made as well.
  const rows = await tx.query<{ id: string; fresh: boolean }>(
    `WITH listed AS (
       SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
         AS row(id, role, path, display_name, delimiter, total)
     ), folder AS (
       INSERT INTO categories AS known (account_id, id, kind, role, path, display_name, delimiter)
       SELECT $1, id, 'folder', role, path, display_name, delimiter FROM listed
       ON CONFLICT (account_id, kind, path) DO UPDATE SET
         role = excluded.role, display_name = excluded.display_name, delimiter = excluded.delimiter
       RETURNING id, path
     ), synced AS (
       INSERT INTO folder_syncs (account_id, folder_id, total)
       SELECT $1, folder.id, total FROM folder JOIN listed USING (path) ON CONFLICT DO NOTHING
     )
     SELECT folder.id, folder.id = listed.id AS fresh FROM folder JOIN listed USING (path)`,
    [
      tx.accountId,
      folders.map(() => newId()),
      folders.map((folder) => folder.role),
      folders.map((folder) => folder.path),
      folders.map((folder) => folder.displayName),
      folders.map((folder) => folder.delimiter),
      folders.map((folder) => Math.min(folder.status?.messages ?? 0, MOST_MESSAGES)),
    ],
  );
  for (const { id, fresh } of rows) tx.changes.record(fresh ? 'create' : 'modify', 'folder', id);
}

async function deleteFolder(tx: Tx, folderId: string): Promise<void> {
  await dropAllUids(tx, folderId);
  for (const table of ['backfill_ranges', 'poison_uids', 'folder_syncs']) {
    await tx.query(`DELETE FROM ${table} WHERE account_id = $1 AND folder_id = $2`, [tx.accountId, folderId]);
  }
  await tx.query('DELETE FROM categories WHERE account_id = $1 AND id = $2', [tx.accountId, folderId]);
  tx.changes.record('delete', 'folder', folderId);
}

/** How many messages one range of old mail holds. */
const RANGE_MESSAGES = 2000;

/** Queues uids for backfill, in ranges read from the newest downwards. */
export async function addRanges(
  tx: Tx,
  folder: { readonly id: string; readonly role: string | null },
  uidValidity: string,
  uids: readonly number[],
): Promise<void> {
  const descending = uids.toSorted((a, b) => b - a);
  const ranges: { low: number; high: number }[] = [];
  for (let at = 0; at < descending.length; at += RANGE_MESSAGES) {
    const chunk = descending.slice(at, at + RANGE_MESSAGES);
    ranges.push({ low: chunk.at(-1)!, high: chunk[0]! });
  }
  if (ranges.length === 0) return;
  await tx.query(
    `INSERT INTO backfill_ranges (account_id, id, folder_id, uid_validity, priority, low_uid, next_uid)
     SELECT $1, id, $2, $3, $4, low, high FROM unnest($5::text[], $6::bigint[], $7::bigint[]) AS row(id, low, high)`,
    [
      tx.accountId,
      folder.id,
      uidValidity,
      folderPriority(folder.role),
      ranges.map(() => newId()),
      ranges.map((range) => range.low),
      ranges.map((range) => range.high),
    ],
  );
}

/**
 * Saves how far a folder has been read, in the transaction that stored what was read.
 * @param options.swept the flags of every message were looked at @param options.compared and the store holds no others
 */
export async function saveCursor(
  tx: Tx,
  folderId: string,
  cursor: FolderCursor,
  options: { readonly swept: boolean; readonly compared: boolean },
): Promise<void> {
  await tx.query(
    `UPDATE folder_syncs SET cursor = $3, total = $4, passed_at = now(), failures = 0, retry_at = NULL,
       last_error = NULL, swept_at = CASE WHEN $5 THEN now() ELSE swept_at END,
       drift_checked_at = CASE WHEN $6 THEN now() ELSE drift_checked_at END,
       state = CASE WHEN EXISTS (SELECT FROM backfill_ranges waiting
                                 WHERE waiting.account_id = $1 AND waiting.folder_id = $2)
               THEN 'backfill' ELSE 'running' END
     WHERE account_id = $1 AND folder_id = $2`,
    [
      tx.accountId,
      folderId,
      JSON.stringify(cursor),
      Math.min(cursor.messages, MOST_MESSAGES),
      options.swept,
      options.compared,
    ],
  );
}
