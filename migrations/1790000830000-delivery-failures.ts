import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whom sent messages did not reach. */
export class DeliveryFailures1790000830000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE messages ADD COLUMN delivery_failures json');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE messages DROP COLUMN delivery_failures');
  }
}
