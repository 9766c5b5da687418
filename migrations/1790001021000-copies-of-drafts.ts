import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What other mail programs make of drafts. */
export class CopiesOfDrafts1790001021000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE messages ADD COLUMN draft_print text');
    await db.query(`CREATE INDEX actions_deletions ON actions (account_id, object_id) WHERE kind = 'draft.delete'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX actions_deletions');
    await db.query('ALTER TABLE messages DROP COLUMN draft_print');
  }
}
