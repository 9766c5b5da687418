import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Full text of messages and drafts. Each word carries the number of its account, so that one GIN index serves all of them
 * and a search touches nobody else's part of it. The texts lie apart from their rows: most searches read rows only.
 */
export class Search1790001120000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE search_accounts (
      account_id text COLLATE "C" NOT NULL,
      number serial NOT NULL,
      seq bigint NOT NULL,
      scan_after text COLLATE "C",
      CONSTRAINT search_accounts_pkey PRIMARY KEY (account_id)
    )`);
    await db.query(`CREATE TABLE search_documents (
      account_id text COLLATE "C" NOT NULL,
      message_id text COLLATE "C" NOT NULL,
      received_at timestamptz NOT NULL,
      draft boolean NOT NULL,
      version integer NOT NULL,
      words tsvector NOT NULL,
      CONSTRAINT search_documents_pkey PRIMARY KEY (account_id, message_id)
    ) WITH (toast_tuple_target = 128)`);
    await db.query('ALTER TABLE search_documents ALTER words SET STATISTICS 0, ALTER account_id SET STATISTICS 0');
    await db.query(
      'CREATE INDEX search_documents_by_word ON search_documents USING gin (words) WITH (fastupdate = off)',
    );
    // A function, for its setting: without statistics the planner would rather read the table than the index.
    await db.query(`CREATE FUNCTION search_hits(wanted tsquery)
      RETURNS TABLE (account_id text, message_id text, received_at timestamptz)
      LANGUAGE sql STABLE ROWS 1000 SET enable_seqscan = off
      AS 'SELECT account_id, message_id, received_at FROM search_documents WHERE words @@ wanted'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP FUNCTION search_hits(tsquery)');
    await db.query('DROP TABLE search_documents');
    await db.query('DROP TABLE search_accounts');
  }
}
