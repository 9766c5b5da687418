import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What applications configure, what they keep with their accounts, and accounts that are deleted but can come back. */
export class ApplicationSettings1790001100000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE applications
      ADD COLUMN sealed_secret text,
      ADD COLUMN former_secret_hash text,
      ADD COLUMN former_sealed_secret text,
      ADD COLUMN former_secret_until timestamptz,
      ADD COLUMN redirect_uris text[] NOT NULL DEFAULT '{}',
      ADD COLUMN icon_url text,
      ADD COLUMN primary_color text,
      ADD COLUMN api_version text NOT NULL DEFAULT '2.5',
      ADD COLUMN oauth_clients jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now()`);
    await db.query(`ALTER TABLE accounts
      ADD COLUMN billing_state text NOT NULL DEFAULT 'paid',
      ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN deleted_at timestamptz`);
    await db.query('CREATE INDEX accounts_deleted ON accounts (deleted_at) WHERE deleted_at IS NOT NULL');
    await db.query(`ALTER TABLE access_tokens
      ADD COLUMN scopes text[] NOT NULL DEFAULT '{}',
      ADD COLUMN used_at timestamptz`);
    await db.query(`ALTER TABLE auth_codes ADD COLUMN scopes text[] NOT NULL DEFAULT '{}'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE auth_codes DROP COLUMN scopes');
    await db.query('ALTER TABLE access_tokens DROP COLUMN used_at, DROP COLUMN scopes');
    await db.query('ALTER TABLE accounts DROP COLUMN deleted_at, DROP COLUMN metadata, DROP COLUMN billing_state');
    await db.query(`ALTER TABLE applications
      DROP COLUMN updated_at, DROP COLUMN oauth_clients, DROP COLUMN api_version, DROP COLUMN primary_color,
      DROP COLUMN icon_url, DROP COLUMN redirect_uris, DROP COLUMN former_secret_until,
      DROP COLUMN former_sealed_secret, DROP COLUMN former_secret_hash, DROP COLUMN sealed_secret`);
  }
}
