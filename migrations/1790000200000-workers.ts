import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The worker processes that live, so that each can tell its fair share of the accounts. */
export class Workers1790000200000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE workers (
      id text COLLATE "C" NOT NULL,
      sessions integer NOT NULL,
      capacity integer NOT NULL,
      seen_at timestamptz NOT NULL,
      CONSTRAINT workers_pkey PRIMARY KEY (id)
    )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE workers');
  }
}
