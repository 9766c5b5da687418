import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Messages that are to be sent later. */
export class ScheduledSends1790000820000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE sends
      ADD COLUMN send_at timestamptz,
      ADD COLUMN original_send_at timestamptz,
      ADD COLUMN due_at timestamptz,
      ADD COLUMN retry_until timestamptz`);
    await db.query(`CREATE INDEX sends_due ON sends (due_at) WHERE state = 'scheduled'`);
    await db.query('DROP INDEX sends_open');
    await db.query(
      `CREATE INDEX sends_open ON sends (account_id, message_id)
       WHERE state IN ('pending', 'scheduled', 'sending', 'committing')`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX sends_open, sends_due');
    await db.query(
      `CREATE INDEX sends_open ON sends (account_id, message_id) WHERE state IN ('pending', 'sending', 'committing')`,
    );
    await db.query(`ALTER TABLE sends
      DROP COLUMN retry_until, DROP COLUMN due_at, DROP COLUMN original_send_at, DROP COLUMN send_at`);
  }
}
