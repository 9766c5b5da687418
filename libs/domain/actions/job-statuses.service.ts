import { Injectable } from '@nestjs/common';

import { NotFound } from '#libs/common/errors.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from '../accounts/account-ref.js';
import type { Page } from '../messages/mail-filter.js';

import { type JobRow, type JobStatusView, toJobStatusView } from './job-status.view.js';

const ACTIONS = `
  SELECT id, kind, object_id, state, settled_at IS NOT NULL AS settled, reason, created_at, seq,
    NULL::timestamptz AS send_at, NULL::timestamptz AS original_send_at FROM actions`;
const SENDS = `
  SELECT id, 'message.send' AS kind, message_id AS object_id, state, settled_at IS NOT NULL AS settled,
    answer->'error'->>'message' AS reason, created_at, NULL::bigint AS seq, send_at, original_send_at FROM sends`;

/** What became of writes to the provider, and of messages to be sent. Settled ones are known for a week. */
@Injectable()
export class JobStatuses {
  constructor(private readonly reader: Reader) {}

  /** Newest first. */
  async list(account: AccountRef, page: Page): Promise<JobStatusView[]> {
    const rows = await this.reader.rows<JobRow>(
      `(${ACTIONS} WHERE account_id = $1 ORDER BY seq DESC LIMIT $4)
       UNION ALL (${SENDS} WHERE account_id = $1 ORDER BY id DESC LIMIT $4)
       ORDER BY created_at DESC, seq DESC, id DESC LIMIT $2 OFFSET $3`,
      [account.id, page.limit, page.offset, page.limit + page.offset],
      'job-statuses',
    );
    return rows.map((row) => toJobStatusView(account.id, row));
  }

  /** @throws NotFound */
  async get(account: AccountRef, id: string): Promise<JobStatusView> {
    const [row] = await this.reader.rows<JobRow>(
      `${ACTIONS} WHERE account_id = $1 AND id = $2 UNION ALL ${SENDS} WHERE account_id = $1 AND id = $2`,
      [account.id, id],
      'job-status',
    );
    if (!row) throw new NotFound('job status', id);
    return toJobStatusView(account.id, row);
  }

  /** Those of these messages on their way that there are, in this order. */
  async sends(account: AccountRef, ids: readonly string[]): Promise<JobStatusView[]> {
    const rows = await this.reader.rows<JobRow>(
      `${SENDS} WHERE account_id = $1 AND id = ANY($2) ORDER BY array_position($2::text[], id)`,
      [account.id, ids],
      'job-statuses-of-sends',
    );
    return rows.map((row) => toJobStatusView(account.id, row));
  }
}
