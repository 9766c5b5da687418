import type { MigrationInterface, QueryRunner } from 'typeorm';

const UNSAVED = `kind IN ('draft.save', 'sent.save') AND state <> 'successful'`;

/** By blobs, and by what is not at the provider yet: what must not be lost is found without reading tables. */
export class OnlyCopies1790001020000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX files_only_here');
    await db.query('CREATE INDEX files_by_blob ON files (blob_key) WHERE blob_key IS NOT NULL');
    await db.query(`CREATE INDEX actions_unsaved ON actions (account_id, object_id) WHERE ${UNSAVED}`);
    await db.query(`CREATE INDEX actions_blobs ON actions ((details->>'blobKey')) WHERE ${UNSAVED}`);
    await db.query(
      'CREATE INDEX sends_contents ON sends (account_id) WHERE settled_at IS NULL AND content IS NOT NULL',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX sends_contents, actions_blobs, actions_unsaved, files_by_blob');
    await db.query('CREATE INDEX files_only_here ON files (blob_key) WHERE part IS NULL');
  }
}
