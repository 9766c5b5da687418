import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each folder was last compared with the server in full, and how many differences that found. */
export class Drift1790000100000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE folder_syncs
      ADD COLUMN drift_checked_at timestamptz,
      ADD COLUMN drift_repaired integer NOT NULL DEFAULT 0`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE folder_syncs DROP COLUMN drift_checked_at, DROP COLUMN drift_repaired');
  }
}
