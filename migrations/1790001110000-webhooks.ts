import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks of applications, what is delivered to them, and how far each account's change log has been told. */
export class Webhooks1790001110000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE webhooks (
      id text COLLATE "C" NOT NULL,
      application_id text COLLATE "C" NOT NULL,
      callback_url text NOT NULL,
      triggers text[] NOT NULL,
      state text NOT NULL DEFAULT 'active',
      in_order boolean NOT NULL DEFAULT false,
      full_objects boolean NOT NULL DEFAULT false,
      include_history boolean NOT NULL DEFAULT true,
      notify_from timestamptz,
      bad_since timestamptz,
      lease_owner text,
      lease_until timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT webhooks_pkey PRIMARY KEY (id)
    )`);
    await db.query('CREATE INDEX webhooks_by_application ON webhooks (application_id, id)');
    await db.query(`CREATE TABLE webhook_cursors (
      account_id text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      CONSTRAINT webhook_cursors_pkey PRIMARY KEY (account_id)
    ) WITH (fillfactor = 50)`);
    await db.query(`CREATE TABLE webhook_deliveries (
      webhook_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      seq bigserial NOT NULL,
      account_id text COLLATE "C" NOT NULL,
      lane text COLLATE "C",
      trigger text NOT NULL,
      object text NOT NULL,
      object_id text COLLATE "C" NOT NULL,
      attributes jsonb,
      metadata jsonb,
      occurred_at timestamptz NOT NULL,
      state text NOT NULL DEFAULT 'pending',
      attempts integer NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT now(),
      history jsonb NOT NULL DEFAULT '[]',
      settled_at timestamptz,
      CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (webhook_id, id)
    )`);
    await db.query(
      `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, seq) WHERE state = 'pending'`,
    );
    await db.query(
      `CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook_id, lane, seq)
       WHERE state = 'pending' AND lane IS NOT NULL`,
    );
    await db.query('CREATE INDEX webhook_deliveries_by_account ON webhook_deliveries (account_id)');
    await db.query(`CREATE TABLE webhook_tallies (
      webhook_id text COLLATE "C" NOT NULL,
      minute timestamptz NOT NULL,
      good integer NOT NULL,
      bad integer NOT NULL,
      CONSTRAINT webhook_tallies_pkey PRIMARY KEY (webhook_id, minute)
    )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE webhook_tallies, webhook_deliveries, webhook_cursors, webhooks');
  }
}
