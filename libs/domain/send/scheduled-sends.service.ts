import { Injectable } from '@nestjs/common';

import { AccountWriter, type Tx } from '#libs/changes/account-writer.js';
import { Conflict, NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { JobStatusView } from '../actions/job-status.view.js';
import { JobStatuses } from '../actions/job-statuses.service.js';
import { touchDraft } from '../drafts/touch-draft.js';
import type { Page } from '../messages/mail-filter.js';

import type { Preparation } from './prepared-sends.service.js';
import { type Schedule, type SendRequest, writeDown } from './send-rows.js';

/** What is to be sent later. PostgreSQL holds it; workers ask for what is due. */
@Injectable()
export class ScheduledSends {
  constructor(
    private readonly writer: AccountWriter,
    private readonly reader: Reader,
    private readonly jobs: JobStatuses,
  ) {}

  /** @throws as the preparation; Conflict for another request under the same key */
  async add(
    account: AccountRef,
    prepare: Preparation,
    request: SendRequest,
    schedule: Schedule,
  ): Promise<JobStatusView> {
    const id = await this.writer.write(account.id, async (tx) => {
      const written = await writeDown(tx, request, prepare, schedule);
      if (typeof written !== 'string') return written.id;
      await touchScheduled(tx, written);
      return written;
    });
    return this.jobs.get(account, id);
  }

  /** What still waits, the next one first. */
  async list(account: AccountRef, page: Page): Promise<JobStatusView[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT id FROM sends WHERE account_id = $1 AND state = 'scheduled' ORDER BY send_at, id LIMIT $2 OFFSET $3`,
      [account.id, page.limit, page.offset],
      'scheduled-sends',
    );
    return this.jobs.sends(
      account,
      rows.map(({ id }) => id),
    );
  }

  /** @throws NotFound */
  async get(account: AccountRef, id: string): Promise<JobStatusView> {
    const [job] = await this.jobs.sends(account, [id]);
    if (!job) throw new NotFound('outbox message', id);
    return job;
  }

  /** @throws NotFound, Conflict when it does not wait any more */
  async move(account: AccountRef, id: string, { sendAt, retryUntil }: Schedule): Promise<JobStatusView> {
    return this.change(account, id, async (tx) =>
      tx.query(
        `UPDATE sends SET send_at = $3, due_at = $3, retry_until = $4, answer = NULL
         WHERE account_id = $1 AND id = $2 AND state = 'scheduled' RETURNING id`,
        [tx.accountId, id, sendAt, retryUntil],
      ),
    );
  }

  /** The draft stays; of raw MIME nothing does. @throws NotFound, Conflict when it does not wait any more */
  async cancel(account: AccountRef, id: string): Promise<JobStatusView> {
    return this.change(account, id, async (tx) =>
      tx.query(
        `UPDATE sends SET state = 'cancelled', content = NULL, settled_at = now(), idempotency_key = NULL
         WHERE account_id = $1 AND id = $2 AND state = 'scheduled' RETURNING id`,
        [tx.accountId, id],
      ),
    );
  }

  /** What a worker has taken up is not ours to change: the row tells which of the two was first. */
  private async change(
    account: AccountRef,
    id: string,
    work: (tx: Tx) => Promise<readonly unknown[]>,
  ): Promise<JobStatusView> {
    const changed = await this.writer.write(account.id, async (tx) => {
      const rows = await work(tx);
      if (rows.length > 0) await touchScheduled(tx, id);
      return rows.length > 0;
    });
    const job = await this.get(account, id);
    if (!changed) throw new Conflict(`Message ${id} does not wait to be sent any more: ${job.status}`);
    return job;
  }
}

/** Its draft shows when it is sent. */
async function touchScheduled(tx: Tx, sendId: string): Promise<void> {
  const [send] = await tx.query<{ message_id: string }>(
    'SELECT message_id FROM sends WHERE account_id = $1 AND id = $2',
    [tx.accountId, sendId],
  );
  if (send) await touchDraft(tx, send.message_id);
}
