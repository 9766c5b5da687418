import { Injectable } from '@nestjs/common';

import { SecretBox } from '#libs/common/secret-box.js';
import { arrayLiteral } from '#libs/database/array-literal.js';
import { Reader } from '#libs/database/reader.js';

import type { NotificationFacts } from './payload.js';
import type { SigningSecrets } from './signature.js';

export interface DueDelivery extends NotificationFacts {
  readonly id: string;
  readonly lane: string | null;
  readonly attempts: number;
}

/** A webhook that a run delivers to. */
export interface Target {
  readonly webhookId: string;
  readonly url: URL;
  readonly secrets: SigningSecrets;
  readonly fullObjects: boolean;
  readonly inOrder: boolean;
}

export interface Outcome {
  readonly id: string;
  readonly accepted: boolean;
  /** Null when it is delivered or given up. */
  readonly retryMs: number | null;
  /** As the log shows it. */
  readonly attempt: {
    readonly at: number;
    readonly status: number | null;
    readonly error: string | null;
    readonly ms: number;
  };
}

/** A run that shows no sign of life for so long is dead. */
const LEASE_SECONDS = 12;
/** Of one account that minds the order. */
const RUN = 20;
const MOST_NOTED = 20;
const FACTS = `d.id, d.lane, d.attempts, d.trigger, d.object, d.object_id AS "objectId", d.account_id AS "accountId",
  d.occurred_at AS "occurredAt", d.attributes, d.metadata`;
const IN_FORCE = `w.lease_owner = $2 AND w.state IN ('active', 'failing')`;

interface TargetRow {
  readonly callback_url: string;
  readonly full_objects: boolean;
  readonly in_order: boolean;
  readonly application_id: string;
  readonly current: string;
  readonly former: string | null;
}

/** What is to be delivered, and to whom. One run at a time delivers to a webhook: it holds a lease on its row. */
@Injectable()
export class DeliveryStore {
  constructor(
    private readonly reader: Reader,
    private readonly box: SecretBox,
  ) {}

  /** Begins or prolongs a run. Null when another one delivers to the webhook, or nobody is to. */
  async lease(webhookId: string, owner: string): Promise<Target | null> {
    const [row] = await this.reader.rows<TargetRow>(
      `UPDATE webhooks w SET lease_owner = $2, lease_until = now() + interval '${LEASE_SECONDS} seconds'
       FROM applications a
       WHERE w.id = $1 AND a.id = w.application_id AND w.state IN ('active', 'failing') AND a.sealed_secret IS NOT NULL
         AND (w.lease_owner = $2 OR w.lease_until IS NULL OR w.lease_until < now())
       RETURNING w.callback_url, w.full_objects, w.in_order, w.application_id, a.sealed_secret AS current,
         CASE WHEN a.former_secret_until > now() THEN a.former_sealed_secret END AS former`,
      [webhookId, owner],
      'lease-webhook',
    );
    if (!row) return null;
    const open = (sealed: string) => this.box.open(sealed, row.application_id);
    const secrets: SigningSecrets = row.former ? [open(row.current), open(row.former)] : [open(row.current)];
    return { webhookId, url: new URL(row.callback_url), secrets, fullObjects: row.full_objects, inOrder: row.in_order };
  }

  async release(webhookId: string, owner: string): Promise<void> {
    await this.reader.rows(
      'UPDATE webhooks SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2',
      [webhookId, owner],
      'release-webhook',
    );
  }

  /**
   * What is due, oldest first, in runs: what is in one is sent one after the other. Empty for who has lost the lease.
   * @param held ids that are on their way, and accounts of which some are
   */
  async due(
    { webhookId, inOrder }: Target,
    owner: string,
    held: readonly string[],
    limit: number,
  ): Promise<DueDelivery[][]> {
    const values = [webhookId, owner, arrayLiteral(held), limit];
    const [free, ordered] = await Promise.all([
      this.reader.rows<DueDelivery>(
        `SELECT ${FACTS} FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id
         WHERE w.id = $1 AND ${IN_FORCE} AND d.state = 'pending' AND d.due_at <= now()
           AND (d.lane IS NULL OR NOT w.in_order) AND NOT d.id = ANY($3)
         ORDER BY d.webhook_id, d.due_at, d.seq LIMIT $4`,
        values,
        'due-deliveries',
      ),
      inOrder ? this.reader.rows<DueDelivery>(IN_ORDER, values, 'due-in-order') : [],
    ]);
    const runs = free.map((delivery) => [delivery]);
    for (const delivery of ordered) {
      if (runs.at(-1)?.[0]!.lane === delivery.lane) runs.at(-1)!.push(delivery);
      else runs.push([delivery]);
    }
    return runs;
  }

  /** Writes down what came of some, and counts them. Those that were settled meanwhile stay as they are. */
  async settle(webhookId: string, outcomes: readonly Outcome[]): Promise<void> {
    const good = outcomes.filter(({ accepted }) => accepted).length;
    await this.reader.rows(
      SETTLE,
      [
        webhookId,
        arrayLiteral(outcomes.map(({ id }) => id)),
        arrayLiteral(outcomes.map(stateOf)),
        arrayLiteral(outcomes.map(({ retryMs }) => (retryMs ?? 0) / 1000)),
        arrayLiteral(outcomes.map(({ attempt }) => JSON.stringify(attempt))),
        good,
        outcomes.length - good,
      ],
      'settle-deliveries',
    );
  }

  /** When the next one is due; null when none waits or nobody is to be told. */
  async nextDue(webhookId: string): Promise<Date | null> {
    const [row] = await this.reader.rows<{ at: Date }>(
      `SELECT d.due_at AS at FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id
       WHERE w.id = $1 AND w.state IN ('active', 'failing') AND d.state = 'pending'
       ORDER BY d.webhook_id, d.due_at, d.seq LIMIT 1`,
      [webhookId],
      'next-delivery',
    );
    return row?.at ?? null;
  }

  /** Webhooks for which something is due and nobody delivers: their job was lost, or its worker. */
  async abandoned(): Promise<string[]> {
    const rows = await this.reader.rows<{ id: string }>(
      `SELECT w.id FROM webhooks w
       WHERE w.state IN ('active', 'failing') AND (w.lease_until IS NULL OR w.lease_until < now()) AND EXISTS (
         SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= now())`,
      [],
      'abandoned-webhooks',
    );
    return rows.map(({ id }) => id);
  }
}

const stateOf = ({ accepted, retryMs }: Outcome): string =>
  accepted ? 'delivered' : retryMs === null ? 'failed' : 'pending';

/** An index skip over the accounts; the first that waits of each decides when it is its turn. */
const IN_ORDER = `
WITH RECURSIVE heads AS (
  (SELECT d.lane, d.due_at FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id
   WHERE w.id = $1 AND ${IN_FORCE} AND w.in_order AND d.state = 'pending' AND d.lane IS NOT NULL
   ORDER BY d.webhook_id, d.lane, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM heads CROSS JOIN LATERAL (
    SELECT lane, due_at FROM webhook_deliveries
    WHERE webhook_id = $1 AND state = 'pending' AND lane > heads.lane ORDER BY webhook_id, lane, seq LIMIT 1
  ) next
), turns AS (
  SELECT lane FROM heads WHERE due_at <= now() AND NOT lane = ANY($3) ORDER BY due_at LIMIT greatest($4 / ${RUN}, 1)
)
SELECT ${FACTS} FROM turns CROSS JOIN LATERAL (
  SELECT * FROM webhook_deliveries
  WHERE webhook_id = $1 AND state = 'pending' AND lane = turns.lane ORDER BY webhook_id, lane, seq LIMIT ${RUN}
) d ORDER BY d.lane, d.seq`;

const SETTLE = `
WITH outcome AS (
  SELECT * FROM unnest($2::text[], $3::text[], $4::float8[], $5::jsonb[]) AS o(id, state, wait, attempt)
), tallied AS (
  INSERT INTO webhook_tallies AS t (webhook_id, minute, good, bad) VALUES ($1, date_trunc('minute', now()), $6, $7)
  ON CONFLICT (webhook_id, minute) DO UPDATE SET good = t.good + excluded.good, bad = t.bad + excluded.bad
)
UPDATE webhook_deliveries d SET state = o.state, attempts = d.attempts + 1,
  due_at = CASE WHEN o.state = 'pending' THEN now() + make_interval(secs => o.wait) ELSE d.due_at END,
  settled_at = CASE WHEN o.state = 'pending' THEN NULL ELSE now() END,
  history = CASE WHEN jsonb_array_length(d.history) >= ${MOST_NOTED} THEN d.history - 0 ELSE d.history END || o.attempt
FROM outcome o WHERE d.webhook_id = $1 AND d.id = o.id AND d.state = 'pending'`;
