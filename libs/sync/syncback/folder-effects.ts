import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import type { MailDriver } from '#libs/providers/contracts/mail-driver.js';
import { folderKinds, ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { Watch } from '../folder-visits.js';

import { type PendingAction, settle } from './action-store.js';
import { refused } from './give-up.js';

export interface FolderAction extends PendingAction {
  readonly kind: 'folder.create' | 'folder.rename' | 'folder.delete';
}

/** Creates, renames and deletes folders at the provider. */
@Injectable()
export class FolderEffects {
  constructor(private readonly writer: AccountWriter) {}

  /** @throws ProviderError when the account is in trouble */
  async run(watch: Watch, action: FolderAction): Promise<void> {
    const { id: accountId, epoch } = watch.account;
    try {
      const done = await this.carryOut(watch, action);
      await this.writer.write(
        accountId,
        async (tx) => {
          await done(tx);
          await settle(tx, [action.id], 'successful');
        },
        { epoch },
      );
    } catch (error) {
      if (!(error instanceof ProviderError) || !folderKinds.has(error.kind)) throw error;
      await this.writer.write(accountId, (tx) => takeBack(tx, action, error), { epoch });
    }
    // What the folders are called now, and what is in them.
    watch.roundAt = Math.min(watch.roundAt, Date.now());
  }

  /** @returns what is so from now on */
  private async carryOut({ source, account }: Watch, action: FolderAction): Promise<(tx: Tx) => Promise<void>> {
    const driver = await source.get();
    const { path = '', newPath = '' } = action.details ?? {};
    switch (action.kind) {
      case 'folder.create':
        await driver.createFolder(path);
        return (tx) => beginSync(tx, action.objectId);
      case 'folder.rename': {
        const before = await this.writer.write(account.id, (tx) => pathOf(tx, action.objectId));
        if (before === null) return async () => {};
        await renameOnce(driver, before, newPath);
        return (tx) => repath(tx, before, newPath);
      }
      case 'folder.delete':
        await driver.deleteFolder(path);
        return async () => {};
      default:
        return action.kind satisfies never;
    }
  }
}

/** A worker that was killed may have done it already. */
async function renameOnce(driver: MailDriver, before: string, now: string): Promise<void> {
  try {
    await driver.renameFolder(before, now);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error;
    await driver.newest(now, 0);
  }
}

async function beginSync(tx: Tx, folderId: string): Promise<void> {
  await tx.query(
    `INSERT INTO folder_syncs (account_id, folder_id) SELECT account_id, id FROM categories
     WHERE account_id = $1 AND id = $2 ON CONFLICT DO NOTHING`,
    [tx.accountId, folderId],
  );
}

async function pathOf(tx: Tx, folderId: string): Promise<string | null> {
  const [folder] = await tx.query<{ path: string }>('SELECT path FROM categories WHERE account_id = $1 AND id = $2', [
    tx.accountId,
    folderId,
  ]);
  return folder?.path ?? null;
}

/** The folder and those below it. */
async function repath(tx: Tx, before: string, now: string): Promise<void> {
  await tx.query(
    `UPDATE categories SET path = $3 || substr(path, length($2) + 1)
     WHERE account_id = $1 AND kind = 'folder' AND (path = $2 OR starts_with(path, $2 || delimiter))`,
    [tx.accountId, before, now],
  );
}

/** A folder that could not be made is gone again; names and deletions are put right by the next look around. */
async function takeBack(tx: Tx, action: FolderAction, error: ProviderError): Promise<void> {
  await refused(tx, [action], error);
  if (action.kind === 'folder.create') await unmake(tx, action.id);
}

/** A folder goes whose creation was given up; what was to lie in it is where it was. */
export async function unmake(tx: Tx, actionId: string): Promise<void> {
  const [gone] = await tx.query<{ id: string }>(
    `DELETE FROM categories folder USING actions WHERE actions.account_id = $1 AND actions.id = $2
       AND actions.state = 'failed' AND folder.account_id = $1 AND folder.id = actions.object_id
       AND NOT EXISTS (SELECT FROM folder_syncs sync WHERE sync.account_id = $1 AND sync.folder_id = folder.id)
     RETURNING folder.id`,
    [tx.accountId, actionId],
  );
  if (!gone) return;
  tx.changes.record('delete', 'folder', gone.id);
  const meant = await tx.query<{ id: string }>(
    `SELECT DISTINCT object_id AS id FROM actions WHERE account_id = $1 AND state = 'pending' AND folder_id = $2`,
    [tx.accountId, gone.id],
  );
  const ids = meant.map(({ id }) => id);
  await touchThreads(tx, await touchMessages(tx, ids));
}
