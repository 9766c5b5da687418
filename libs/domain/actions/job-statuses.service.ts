import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';

import { type ActionRow, type JobStatusView, toJobStatusView } from './job-status.view.js';

const COLUMNS = 'id, kind, object_id, state, reason, created_at';

/** What became of writes to the provider. Settled ones are known for a week. */
@Injectable()
export class JobStatuses {
  constructor(private readonly reader: Reader) {}

  /** Newest first. */
  async list(account: AccountRef, page: Page): Promise<JobStatusView[]> {
    const rows = await this.reader.rows<ActionRow>(
      `SELECT ${COLUMNS} FROM actions WHERE account_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3`,
      [account.id, page.limit, page.offset],
      'job-statuses',
    );
    return rows.map((row) => toJobStatusView(account.id, row));
  }

  /** @throws NotFound */
  async get(account: AccountRef, id: string): Promise<JobStatusView> {
    const [row] = await this.reader.rows<ActionRow>(
      `SELECT ${COLUMNS} FROM actions WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'job-status',
    );
    if (!row) throw new NotFound('job status', id);
    return toJobStatusView(account.id, row);
  }
}
