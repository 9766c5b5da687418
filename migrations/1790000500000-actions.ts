import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Writes on their way to the provider, and the tags that users put on threads. */
export class Actions1790000500000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE actions (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      seq bigserial NOT NULL,
      kind text NOT NULL,
      object_id text COLLATE "C" NOT NULL,
      unread boolean,
      starred boolean,
      folder_id text COLLATE "C",
      details jsonb,
      state text NOT NULL DEFAULT 'pending',
      attempts integer NOT NULL DEFAULT 0,
      retry_at timestamptz,
      reason text,
      created_at timestamptz NOT NULL DEFAULT now(),
      settled_at timestamptz,
      CONSTRAINT actions_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE INDEX actions_pending ON actions (account_id, object_id) WHERE state = 'pending'`);
    await db.query('CREATE INDEX actions_in_order ON actions (account_id, seq)');
    await db.query('CREATE INDEX actions_settled ON actions (settled_at) WHERE settled_at IS NOT NULL');
    await db.query(`ALTER TABLE threads ADD COLUMN tag_ids text[] COLLATE "C" NOT NULL DEFAULT '{}'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE threads DROP COLUMN tag_ids');
    await db.query('DROP TABLE actions');
  }
}
