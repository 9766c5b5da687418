import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was sent from here, by the Message-ID that its copies have. */
export class SentCopies1790001040000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX sends_by_header ON sends (account_id, message_id_header)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX sends_by_header');
  }
}
