import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { InvalidRequest, NotFound } from '#libs/common/errors.js';
import { newId } from '#libs/common/ids.js';

import type { AccountRef } from '../accounts/account-ref.js';
import { queueActions } from '../actions/actions.js';

import { folderPath, type NamedFolder, renamed } from './folder-path.js';

interface Folder extends NamedFolder {
  readonly id: string;
  readonly role: string | null;
}

/** Folders as users change them: shown at once, then done at the provider. */
@Injectable()
export class FolderUpdates {
  constructor(private readonly writer: AccountWriter) {}

  /** @throws InvalidRequest for a name that is taken or that the provider cannot have @returns the new folder's id */
  async create(account: AccountRef, displayName: string): Promise<string> {
    return this.writer.write(account.id, (tx) => createFolder(tx, displayName, null));
  }

  /** With the folders below it. */
  async rename(account: AccountRef, id: string, displayName: string): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const { folder, folders } = await changeable(tx, id);
      if (folder.displayName === displayName) return;
      const others = folders.filter((other) => other !== folder);
      mustBeFree(displayName, others);
      const details = { newPath: folderPath(displayName, folders) };
      const children = others.filter((other) => other.displayName.startsWith(`${folder.displayName}/`));
      for (const { id: below, displayName: name } of [folder, ...children]) {
        await tx.query('UPDATE categories SET display_name = $3 WHERE account_id = $1 AND id = $2', [
          tx.accountId,
          below,
          displayName + name.slice(folder.displayName.length),
        ]);
        tx.changes.record('modify', 'folder', below);
      }
      await queueActions(tx, [{ kind: 'folder.rename', objectId: id, details }]);
    });
  }

  /** @throws InvalidRequest when it holds mail, or has a role */
  async remove(account: AccountRef, id: string): Promise<void> {
    await this.writer.write(account.id, async (tx) => {
      const { folder } = await changeable(tx, id);
      const [{ used } = { used: true }] = await tx.query<{ used: boolean }>(
        `SELECT EXISTS (SELECT FROM message_uids WHERE account_id = $1 AND folder_id = $2)
             OR EXISTS (SELECT FROM backfill_ranges WHERE account_id = $1 AND folder_id = $2)
             OR EXISTS (SELECT FROM actions WHERE account_id = $1 AND folder_id = $2 AND state = 'pending') AS used`,
        [account.id, id],
      );
      if (used) throw new InvalidRequest(`Folder ${id} cannot be deleted because it contains messages.`);
      for (const table of ['poison_uids', 'folder_syncs']) {
        await tx.query(`DELETE FROM ${table} WHERE account_id = $1 AND folder_id = $2`, [account.id, id]);
      }
      await tx.query('DELETE FROM categories WHERE account_id = $1 AND id = $2', [account.id, id]);
      tx.changes.record('delete', 'folder', id);
      await queueActions(tx, [{ kind: 'folder.delete', objectId: id, details: { path: folder.path } }]);
    });
  }
}

/** The account's folder with this role, else of this name; made when there is none. @returns its id */
export async function folderFor(tx: Tx, role: string, name: string): Promise<string> {
  const folders = await foldersOf(tx);
  const folder =
    folders.find((one) => one.role === role) ??
    folders.find(({ displayName }) => displayName.toLowerCase() === name.toLowerCase());
  return folder?.id ?? createFolder(tx, name, role);
}

/** A folder that the provider is to create; it can be moved to at once. @returns its id */
export async function createFolder(tx: Tx, displayName: string, role: string | null): Promise<string> {
  const folders = await foldersOf(tx);
  mustBeFree(displayName, folders);
  const path = folderPath(displayName, folders);
  const delimiter = folders.find((folder) => folder.delimiter !== null)?.delimiter ?? null;
  const id = newId();
  await tx.query(
    `INSERT INTO categories (account_id, id, kind, role, path, display_name, delimiter)
     VALUES ($1, $2, 'folder', $3, $4, $5, $6)`,
    [tx.accountId, id, role, path, displayName, delimiter],
  );
  tx.changes.record('create', 'folder', id);
  await queueActions(tx, [{ kind: 'folder.create', objectId: id, details: { path } }]);
  return id;
}

async function changeable(tx: Tx, id: string): Promise<{ folder: Folder; folders: readonly Folder[] }> {
  const folders = await foldersOf(tx);
  const folder = folders.find((one) => one.id === id);
  if (!folder) throw new NotFound('folder', id);
  if (folder.role !== null) throw new InvalidRequest('Cannot modify a standard folder');
  return { folder, folders };
}

function mustBeFree(displayName: string, folders: readonly Folder[]): void {
  const taken = folders.some((folder) => folder.displayName.toLowerCase() === displayName.toLowerCase());
  if (taken) throw new InvalidRequest(`Folder with name "${displayName}" already exists`);
}

/** With the paths that they will have when the provider has done what it was asked to so far. */
async function foldersOf(tx: Tx): Promise<Folder[]> {
  const folders = await tx.query<Folder>(
    `SELECT id, role, path, display_name AS "displayName", delimiter FROM categories
     WHERE account_id = $1 AND kind = 'folder' ORDER BY id`,
    [tx.accountId],
  );
  const renames = await tx.query<{ id: string; newPath: string }>(
    `SELECT object_id AS id, details->>'newPath' AS "newPath" FROM actions
     WHERE account_id = $1 AND state = 'pending' AND kind = 'folder.rename' ORDER BY seq`,
    [tx.accountId],
  );
  return renames.reduce(renamed, folders);
}
