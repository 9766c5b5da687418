import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reports of failed deliveries that came before the messages they tell of. */
export class WaitingReports1790001041000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE waiting_reports (
        account_id text COLLATE "C" NOT NULL,
        message_id_header text COLLATE "C" NOT NULL,
        report_id text COLLATE "C" NOT NULL,
        failures json NOT NULL,
        received_at timestamptz NOT NULL,
        fresh boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT waiting_reports_pkey PRIMARY KEY (account_id, message_id_header, report_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE waiting_reports');
  }
}
