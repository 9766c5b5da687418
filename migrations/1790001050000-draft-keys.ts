import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The key by which an account's copies of its drafts are known. */
export class DraftKeys1790001050000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE accounts
        ADD COLUMN draft_key uuid NOT NULL DEFAULT gen_random_uuid(),
        ADD COLUMN draft_key_at timestamptz NOT NULL DEFAULT now()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE accounts DROP COLUMN draft_key, DROP COLUMN draft_key_at');
  }
}
