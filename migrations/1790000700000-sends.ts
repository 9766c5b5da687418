import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages on their way out: what keeps one from being sent twice. */
export class Sends1790000700000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE sends (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      message_id text COLLATE "C" NOT NULL,
      content jsonb,
      state text NOT NULL DEFAULT 'pending',
      idempotency_key text COLLATE "C",
      request_hash text,
      claimed_until timestamptz,
      answer jsonb,
      created_at timestamptz NOT NULL DEFAULT now(),
      settled_at timestamptz,
      CONSTRAINT sends_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE UNIQUE INDEX sends_by_key ON sends (account_id, idempotency_key)`);
    await db.query(
      `CREATE INDEX sends_open ON sends (account_id, message_id) WHERE state IN ('pending', 'sending', 'committing')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE sends');
  }
}
