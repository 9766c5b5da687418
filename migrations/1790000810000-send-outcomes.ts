import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By what a message is found again whose sending had no clear end, and when what was sent can be forgotten. */
export class SendOutcomes1790000810000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE sends
      ADD COLUMN message_id_header text,
      ADD COLUMN claims integer NOT NULL DEFAULT 0,
      ADD COLUMN look_until timestamptz`);
    await db.query(`CREATE INDEX sends_unknown ON sends (account_id) WHERE state = 'unknown'`);
    await db.query('CREATE INDEX sends_settled ON sends (settled_at) WHERE settled_at IS NOT NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX sends_settled, sends_unknown');
    await db.query('ALTER TABLE sends DROP COLUMN look_until, DROP COLUMN claims, DROP COLUMN message_id_header');
  }
}
