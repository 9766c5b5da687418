import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Reader } from '#libs/database/reader.js';
import { touchMessages, touchThreads } from '#libs/domain/messages/touch-mail.js';
import { isUnsaved } from '#libs/domain/send/on-its-way.js';

import { unmake } from './folder-effects.js';
import { giveUp } from './give-up.js';

const PENDING_DAYS = 2;
const SETTLED_DAYS = 7;
const CHUNK = 500;
const REASON = `The account could not be reached for ${PENDING_DAYS} days.`;

interface OldAction {
  readonly id: string;
  readonly kind: string;
  readonly objectId: string;
}

/** What somebody wrote, drafts and copies of sent mail, waits for as long as it takes. */
const CAN_LAPSE = `state = 'pending' AND (kind = 'message.update' OR kind LIKE 'folder.%')`;

const EARLIER = `earlier.account_id = actions.account_id AND earlier.object_id = actions.object_id
  AND earlier.seq < actions.seq AND earlier.kind IN ('draft.save', 'sent.save') AND earlier.state <> 'successful'`;

/**
 * That something written here could not be saved, and has not been since: it would be taken for deleted where it has no
 * copy. And that it has been since, as long as the other is not forgotten.
 */
const IS_A_SIGN = `(kind IN ('draft.save', 'sent.save') AND CASE state
  WHEN 'failed' THEN ${isUnsaved('actions.account_id', 'actions.object_id')} AND EXISTS (
    SELECT FROM messages WHERE messages.account_id = actions.account_id AND messages.id = actions.object_id)
  WHEN 'successful' THEN EXISTS (SELECT FROM actions earlier WHERE ${EARLIER}) END)`;

/**
 * Gives up what could not be done for days, mostly because the account stands still, and forgets actions and requests to
 * send that are settled.
 */
@Injectable()
export class OldActions {
  constructor(
    private readonly reader: Reader,
    private readonly writer: AccountWriter,
  ) {}

  /**
   * Works until `until` (milliseconds), or until there is nothing left.
   * @returns how many were given up or forgotten
   */
  async clean(until: number): Promise<number> {
    let cleaned = 0;
    const steps = [
      () => this.giveUpSome(),
      () => this.forgetSome('actions', `AND NOT coalesce(${IS_A_SIGN}, false)`),
      () => this.forgetSome('sends'),
    ];
    for (const some of steps) {
      for (let count = 1; count > 0 && Date.now() < until; cleaned += count) count = await some();
    }
    return cleaned;
  }

  /** Those of one account. */
  private async giveUpSome(): Promise<number> {
    const [row] = await this.reader.rows<{ accountId: string }>(
      `SELECT account_id AS "accountId" FROM actions
       WHERE ${CAN_LAPSE} AND created_at < now() - make_interval(days => $1) LIMIT 1`,
      [PENDING_DAYS],
      'account-with-old-actions',
    );
    return row ? this.writer.write(row.accountId, giveUpOld) : 0;
  }

  private async forgetSome(table: 'actions' | 'sends', but = ''): Promise<number> {
    const rows = await this.reader.rows(
      `DELETE FROM ${table} WHERE (account_id, id) IN (
         SELECT account_id, id FROM ${table} WHERE settled_at < now() - make_interval(days => $1) ${but} LIMIT $2
       ) RETURNING id`,
      [SETTLED_DAYS, CHUNK],
      `forget-settled-${table}`,
    );
    return rows.length;
  }
}

async function giveUpOld(tx: Tx): Promise<number> {
  const old = await tx.query<OldAction>(
    `SELECT id, kind, object_id AS "objectId" FROM actions
     WHERE account_id = $1 AND ${CAN_LAPSE} AND created_at < now() - make_interval(days => $2)
     ORDER BY seq LIMIT $3`,
    [tx.accountId, PENDING_DAYS, CHUNK],
  );
  await giveUp(tx, old, REASON);
  const folders = old.filter(({ kind }) => kind === 'folder.create');
  for (const { id } of folders) await unmake(tx, id);
  const messages = old.filter(({ kind }) => kind === 'message.update').map(({ objectId }) => objectId);
  await touchThreads(tx, await touchMessages(tx, [...new Set(messages)]));
  return old.length;
}
