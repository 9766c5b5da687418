import { Injectable } from '@nestjs/common';

import type { Tx } from '#libs/changes/account-writer.js';
import type { ActionKind } from '#libs/database/action.entity.js';
import { Reader } from '#libs/database/reader.js';

import type { Place } from './plan-effects.js';

/** What the kinds that need more than their object have written down. */
export interface ActionDetails {
  readonly path?: string;
  readonly newPath?: string;
  readonly version?: number;
  readonly madeHere?: boolean;
  /** Surplus copies go only where there is another like them. */
  readonly twin?: boolean;
  /** Of a message that was sent as raw MIME. */
  readonly blobKey?: string;
  readonly places?: readonly { readonly folderId: string; readonly uid: string; readonly uidValidity: string }[];
}

export interface PendingAction {
  readonly id: string;
  readonly kind: ActionKind;
  readonly objectId: string;
  readonly unread: boolean | null;
  readonly starred: boolean | null;
  readonly folderId: string | null;
  readonly details: ActionDetails | null;
  readonly attempts: number;
  readonly retryAt: Date | null;
}

/** So many actions are looked at in one go. */
export const ACTIONS_AT_A_TIME = 500;

/** Reads of actions, and what a settled one leaves. */
@Injectable()
export class ActionStore {
  constructor(private readonly reader: Reader) {}

  /** The account's oldest pending actions, in the order in which they were made; none for who has lost the account. */
  async pending(accountId: string, epoch: number): Promise<PendingAction[]> {
    return this.reader.rows<PendingAction>(
      `SELECT id, kind, object_id AS "objectId", unread, starred, folder_id AS "folderId", details, attempts,
              retry_at AS "retryAt"
       FROM actions WHERE account_id = $1 AND state = 'pending'
         AND EXISTS (SELECT FROM accounts WHERE id = $1 AND sync_epoch = $2) ORDER BY seq LIMIT ${ACTIONS_AT_A_TIME}`,
      [accountId, epoch],
      'pending-actions',
    );
  }

  /** Where these messages lie; void uids left out. */
  async places(accountId: string, messageIds: readonly string[]): Promise<Place[]> {
    const rows = await this.reader.rows<Omit<Place, 'uid'> & { uid: string }>(
      `SELECT message_id AS "messageId", folder_id AS "folderId", uid FROM message_uids
       WHERE account_id = $1 AND message_id = ANY($2) AND uid > 0 ORDER BY uid`,
      [accountId, messageIds],
      'places-of-messages',
    );
    return rows.map((row) => ({ ...row, uid: Number(row.uid) }));
  }

  /** Those of these messages that are still there; true for those that wait for a renumbered folder to be read. */
  async existing(accountId: string, messageIds: readonly string[]): Promise<Map<string, boolean>> {
    const rows = await this.reader.rows<{ id: string; renumbered: boolean }>(
      `SELECT id, EXISTS (
         SELECT FROM message_uids WHERE account_id = $1 AND message_id = messages.id AND uid < 0
       ) AS renumbered FROM messages WHERE account_id = $1 AND id = ANY($2)`,
      [accountId, messageIds],
      'existing-messages',
    );
    return new Map(rows.map(({ id, renumbered }) => [id, renumbered]));
  }
}

/** Whether folders are still to be created, renamed or deleted. */
export async function hasFolderActions(tx: Tx): Promise<boolean> {
  const found = await tx.query(
    `SELECT FROM actions WHERE account_id = $1 AND state = 'pending' AND kind LIKE 'folder.%' LIMIT 1`,
    [tx.accountId],
  );
  return found.length > 0;
}

/** The provider has done it, or never will. */
export async function settle(
  tx: Tx,
  ids: readonly string[],
  state: 'successful' | 'failed',
  reason: string | null = null,
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE actions SET state = $3, reason = $4, attempts = attempts + 1, settled_at = now(), retry_at = NULL
     WHERE account_id = $1 AND id = ANY($2) AND state = 'pending'`,
    [tx.accountId, ids, state, reason],
  );
}

/** It has to wait for the next look at the folders, and that is nobody's fault. */
export async function waitForLook(tx: Tx, ids: readonly string[], reason: string, waitMs: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE actions SET reason = $3, retry_at = now() + make_interval(secs => $4)
     WHERE account_id = $1 AND id = ANY($2) AND state = 'pending'`,
    [tx.accountId, ids, reason, waitMs / 1000],
  );
}

/** It did not work this time. */
export async function postpone(tx: Tx, ids: readonly string[], reason: string, waitMs: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `UPDATE actions SET attempts = attempts + 1, reason = $3, retry_at = now() + make_interval(secs => $4)
     WHERE account_id = $1 AND id = ANY($2) AND state = 'pending'`,
    [tx.accountId, ids, reason, waitMs / 1000],
  );
}
