import { Inject, Injectable } from '@nestjs/common';

import { Logger } from '#libs/common/logger.js';
import { Reader } from '#libs/database/reader.js';

const CHUNK = 5000;

/** States of webhooks, judged by what came of the attempts of the last quarter of an hour. */
@Injectable()
export class WebhookHealth {
  constructor(
    private readonly reader: Reader,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /**
   * `failing` when at least 95 % went wrong for 15 minutes, `failed` when that has lasted for three days: then nothing
   * more is sent, and what waits is given up, to be replayed when it works again.
   */
  async judge(): Promise<void> {
    const changed = await this.reader.rows<{ id: string; state: string }>(JUDGE, [], 'judge-webhooks');
    for (const { id, state } of changed) this.logger.warn({ webhookId: id, state }, 'a webhook changed its state');
    while ((await this.giveUp()) === CHUNK);
  }

  private async giveUp(): Promise<number> {
    const rows = await this.reader.rows(
      `UPDATE webhook_deliveries d SET state = 'failed', settled_at = now()
       WHERE (d.webhook_id, d.id) IN (
         SELECT p.webhook_id, p.id FROM webhooks w JOIN webhook_deliveries p ON p.webhook_id = w.id
         WHERE w.state = 'failed' AND p.state = 'pending' LIMIT ${CHUNK}) RETURNING 1`,
      [],
      'give-up-deliveries',
    );
    return rows.length;
  }
}

const JUDGE = `
WITH recent AS (
  SELECT webhook_id, sum(good) AS good, sum(bad) AS bad, min(minute) AS since FROM webhook_tallies
  WHERE minute >= date_trunc('minute', now()) - interval '15 minutes' GROUP BY webhook_id
), judged AS (
  SELECT w.id, w.state AS before,
    CASE WHEN r.bad >= 0.95 * (r.good + r.bad) THEN coalesce(w.bad_since, r.since) END AS bad_since
  FROM webhooks w JOIN recent r ON r.webhook_id = w.id WHERE w.state IN ('active', 'failing')
), concluded AS (
  SELECT *, CASE WHEN bad_since IS NULL THEN 'active' WHEN bad_since <= now() - interval '3 days' THEN 'failed'
    WHEN bad_since <= now() - interval '15 minutes' THEN 'failing' ELSE before END AS state FROM judged
), changed AS (
  UPDATE webhooks w SET bad_since = c.bad_since, state = c.state, updated_at = now() FROM concluded c
  WHERE w.id = c.id AND w.state = c.before AND (w.bad_since, w.state) IS DISTINCT FROM (c.bad_since, c.state)
  RETURNING w.id, w.state, c.before
)
SELECT id, state FROM changed WHERE state <> before`;
