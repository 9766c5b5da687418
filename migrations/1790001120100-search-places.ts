import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Hits of a search are many and short-lived: where they lie in the table, and when the mail came. */
export class SearchPlaces1790001120100 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('DROP FUNCTION search_hits(tsquery)');
    await db.query(`CREATE FUNCTION search_hits(owner text, wanted tsquery)
      RETURNS TABLE (place tid, received_at timestamptz)
      LANGUAGE sql STABLE ROWS 1000 SET enable_seqscan = off SET enable_indexscan = off
      AS 'SELECT ctid, received_at FROM search_documents WHERE words @@ wanted AND account_id = owner'`);
    // Words by the field they stand in are words of their own by now: everything is read again.
    await db.query(`UPDATE search_accounts SET scan_after = ''`);
    await db.query('TRUNCATE search_documents');
    await db.query('ALTER INDEX search_documents_by_word SET (fastupdate = on, gin_pending_list_limit = 256)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER INDEX search_documents_by_word SET (fastupdate = off)');
    await db.query('ALTER INDEX search_documents_by_word RESET (gin_pending_list_limit)');
    await db.query('DROP FUNCTION search_hits(text, tsquery)');
    await db.query(`CREATE FUNCTION search_hits(wanted tsquery)
      RETURNS TABLE (account_id text, message_id text, received_at timestamptz)
      LANGUAGE sql STABLE ROWS 1000 SET enable_seqscan = off
      AS 'SELECT account_id, message_id, received_at FROM search_documents WHERE words @@ wanted'`);
  }
}
