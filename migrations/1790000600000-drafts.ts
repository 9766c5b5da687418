import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which messages were written here, and which blobs are the only copy of an upload. */
export class Drafts1790000600000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE messages ADD COLUMN made_here boolean NOT NULL DEFAULT false');
    await db.query('CREATE INDEX files_only_here ON files (blob_key) WHERE part IS NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX files_only_here');
    await db.query('ALTER TABLE messages DROP COLUMN made_here');
  }
}
