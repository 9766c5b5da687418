import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The MAILBOXID of a folder is kept in its cursor, with what was read under it. */
export class NoMailboxId1790000400000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE categories DROP COLUMN mailbox_id');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE categories ADD COLUMN mailbox_id text');
  }
}
