import type { MigrationInterface, QueryRunner } from 'typeorm';

const SAVES = `kind IN ('draft.save', 'sent.save')`;
const BLOBS = `CREATE INDEX actions_blobs ON actions ((details->>'blobKey')) WHERE ${SAVES} AND state <> 'successful'`;

/**
 * By what was saved at the provider: whether something could not be is known without reading all that was done since. The
 * index of blobs is of those actions alone that have one, so that it is not taken for that of all unsaved ones.
 */
export class SavedMessages1790001051000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(
      `CREATE INDEX actions_saved ON actions (account_id, object_id) WHERE ${SAVES} AND state = 'successful'`,
    );
    await db.query('DROP INDEX actions_blobs');
    await db.query(`${BLOBS} AND details->>'blobKey' IS NOT NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX actions_saved, actions_blobs');
    await db.query(BLOBS);
  }
}
