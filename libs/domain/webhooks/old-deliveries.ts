import { Injectable } from '@nestjs/common';

import { Reader } from '#libs/database/reader.js';

const DAY_MS = 86_400_000;
/** As long as the change log could be asked instead, at this API family. */
const KEPT_DAYS = 14;
const CHUNK = 5000;
/** No id of an older delivery sorts behind it. */
const before = (moment: number): string => moment.toString(36).padStart(9, '0');

/** What a webhook's log need not show any more, and what deleted webhooks left behind. */
@Injectable()
export class OldDeliveries {
  constructor(private readonly reader: Reader) {}

  /** Works until then (milliseconds); what is left is for the next time. @returns how many deliveries were removed */
  async clean(until: number): Promise<number> {
    await this.reader.rows(`DELETE FROM webhook_tallies WHERE minute < now() - interval '1 day'`);
    const webhooks = await this.reader.rows<{ id: string }>('SELECT id FROM webhooks');
    let removed = await this.remove(until, ORPHANS, []);
    for (const { id } of webhooks) {
      removed += await this.remove(until, OLD, [id, before(Date.now() - KEPT_DAYS * DAY_MS)]);
    }
    return removed;
  }

  private async remove(until: number, sql: string, values: readonly string[]): Promise<number> {
    let removed = 0;
    while (Date.now() < until) {
      const rows = await this.reader.rows(sql, values);
      removed += rows.length;
      if (rows.length < CHUNK) break;
    }
    return removed;
  }
}

const OLD = `DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND id IN (
  SELECT id FROM webhook_deliveries WHERE webhook_id = $1 AND id < $2 AND state <> 'pending'
  ORDER BY webhook_id, id LIMIT ${CHUNK}) RETURNING 1`;

/** An index skip over the webhooks of which there are deliveries. */
const ORPHANS = `WITH RECURSIVE told AS (
  (SELECT webhook_id FROM webhook_deliveries ORDER BY webhook_id LIMIT 1)
  UNION ALL
  SELECT next.webhook_id FROM told CROSS JOIN LATERAL (
    SELECT webhook_id FROM webhook_deliveries WHERE webhook_id > told.webhook_id ORDER BY webhook_id LIMIT 1) next
) DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (
  SELECT d.webhook_id, d.id FROM told JOIN webhook_deliveries d ON d.webhook_id = told.webhook_id
  WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.id = told.webhook_id) LIMIT ${CHUNK}) RETURNING 1`;
