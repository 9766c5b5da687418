import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many messages of each folder are here: counting them anew for everybody who asks takes seconds on big mailboxes. */
export class SyncedCounts1790000300000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE folder_syncs ADD COLUMN synced integer NOT NULL DEFAULT 0');
    await db.query(`UPDATE folder_syncs folder SET synced = place.count
      FROM (SELECT account_id, folder_id, count(*)::int AS count FROM message_uids GROUP BY 1, 2) AS place
      WHERE folder.account_id = place.account_id AND folder.folder_id = place.folder_id`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE folder_syncs DROP COLUMN synced');
  }
}
