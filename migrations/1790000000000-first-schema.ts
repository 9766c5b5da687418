import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Accounts, mail and the change log. Every mail table is keyed by account first, so the whole schema can be split by
 * account later without touching a query. No foreign keys on the mail tables: batches of thousands of rows would pay
 * for a check on each, and rows of one account are removed together.
 */
export class FirstSchema1790000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE TABLE accounts (
      id text COLLATE "C" NOT NULL,
      application_id text COLLATE "C" NOT NULL,
      email_address text NOT NULL,
      email_key text COLLATE "C" NOT NULL,
      name text NOT NULL,
      provider text NOT NULL,
      kind text NOT NULL,
      settings jsonb NOT NULL,
      organization_unit text NOT NULL,
      sync_state text NOT NULL,
      sync_state_reason text,
      sync_enabled boolean NOT NULL DEFAULT true,
      sync_epoch integer NOT NULL DEFAULT 0,
      sync_failures integer NOT NULL DEFAULT 0,
      sync_retry_at timestamptz,
      sync_seen_at timestamptz,
      change_seq bigint NOT NULL DEFAULT 0,
      linked_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT accounts_pkey PRIMARY KEY (id)
    )`);
    await db.query(`CREATE UNIQUE INDEX accounts_by_email ON accounts (application_id, email_key)`);
    await db.query(`CREATE INDEX accounts_by_application ON accounts (application_id, id)`);
    await db.query(`CREATE TABLE grants (
      account_id text COLLATE "C" NOT NULL,
      sealed text NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT grants_pkey PRIMARY KEY (account_id)
    )`);
    await db.query(`CREATE TABLE access_tokens (
      id text COLLATE "C" NOT NULL,
      account_id text COLLATE "C" NOT NULL,
      application_id text COLLATE "C" NOT NULL,
      token_hash text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      revoked_at timestamptz,
      CONSTRAINT access_tokens_pkey PRIMARY KEY (id)
    )`);
    await db.query(`CREATE INDEX access_tokens_by_account ON access_tokens (account_id)`);
    await db.query(`CREATE UNIQUE INDEX access_tokens_by_hash ON access_tokens (token_hash)`);
    await db.query(`CREATE TABLE auth_codes (
      code_hash text COLLATE "C" NOT NULL,
      application_id text COLLATE "C" NOT NULL,
      account_id text COLLATE "C" NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      CONSTRAINT auth_codes_pkey PRIMARY KEY (code_hash)
    )`);
    await db.query(`CREATE TABLE account_events (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      at timestamptz NOT NULL DEFAULT now(),
      level text NOT NULL,
      kind text NOT NULL,
      message text NOT NULL,
      details jsonb,
      CONSTRAINT account_events_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE TABLE applications (
      id text COLLATE "C" NOT NULL,
      client_id text COLLATE "C" NOT NULL,
      client_secret_hash text NOT NULL,
      name text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT applications_pkey PRIMARY KEY (id)
    )`);
    await db.query(`CREATE UNIQUE INDEX applications_by_client_id ON applications (client_id)`);
    await db.query(`CREATE TABLE categories (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      role text,
      path text NOT NULL,
      display_name text NOT NULL,
      delimiter text,
      mailbox_id text,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT categories_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE UNIQUE INDEX categories_by_path ON categories (account_id, kind, path)`);
    await db.query(`CREATE TABLE folder_syncs (
      account_id text COLLATE "C" NOT NULL,
      folder_id text COLLATE "C" NOT NULL,
      cursor jsonb,
      total integer NOT NULL DEFAULT 0,
      state text NOT NULL DEFAULT 'waiting',
      last_error text,
      failures integer NOT NULL DEFAULT 0,
      retry_at timestamptz,
      passed_at timestamptz,
      swept_at timestamptz,
      CONSTRAINT folder_syncs_pkey PRIMARY KEY (account_id, folder_id)
    )`);
    await db.query(`CREATE TABLE backfill_ranges (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      folder_id text COLLATE "C" NOT NULL,
      uid_validity text NOT NULL,
      low_uid bigint NOT NULL,
      next_uid bigint NOT NULL,
      priority smallint NOT NULL,
      claimed_until timestamptz,
      failures integer NOT NULL DEFAULT 0,
      CONSTRAINT backfill_ranges_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE INDEX backfill_ranges_by_order ON backfill_ranges (account_id, priority, next_uid)`);
    await db.query(`CREATE TABLE poison_uids (
      account_id text COLLATE "C" NOT NULL,
      folder_id text COLLATE "C" NOT NULL,
      uid text COLLATE "C" NOT NULL,
      attempts integer NOT NULL,
      reason text NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT poison_uids_pkey PRIMARY KEY (account_id, folder_id, uid)
    )`);
    await db.query(`CREATE TABLE messages (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      thread_id text COLLATE "C" NOT NULL,
      identity uuid NOT NULL,
      message_id_header text,
      in_reply_to text,
      "references" text[] NOT NULL,
      provider_thread_id text,
      subject text NOT NULL,
      snippet text NOT NULL,
      "from" json NOT NULL,
      "to" json NOT NULL,
      cc json NOT NULL,
      bcc json NOT NULL,
      reply_to json NOT NULL,
      emails text[] NOT NULL,
      email_fields smallint[] NOT NULL,
      received_at timestamptz NOT NULL,
      size integer NOT NULL,
      unread boolean NOT NULL,
      starred boolean NOT NULL,
      draft boolean NOT NULL,
      sent boolean NOT NULL,
      has_attachments boolean NOT NULL,
      category_ids text[] NOT NULL,
      version integer NOT NULL DEFAULT 0,
      parse_state text NOT NULL DEFAULT 'complete',
      parse_problem text,
      orphaned_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT messages_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(
      `CREATE INDEX messages_orphaned ON messages (account_id, orphaned_at) WHERE orphaned_at IS NOT NULL`,
    );
    await db.query(`CREATE UNIQUE INDEX messages_by_identity ON messages (account_id, identity)`);
    await db.query(`CREATE INDEX messages_by_thread ON messages (account_id, thread_id, received_at, id)`);
    await db.query(`CREATE INDEX messages_by_date ON messages (account_id, received_at, id)`);
    await db.query(`CREATE TABLE message_bodies (
      account_id text COLLATE "C" NOT NULL,
      message_id text COLLATE "C" NOT NULL,
      body text NOT NULL,
      CONSTRAINT message_bodies_pkey PRIMARY KEY (account_id, message_id)
    )`);
    // PostgreSQL's own compression costs more than the rest of storing a message; lz4 does not, where it was built in.
    await db.query(`DO $$ BEGIN
      ALTER TABLE message_bodies ALTER COLUMN body SET COMPRESSION lz4;
    EXCEPTION WHEN feature_not_supported OR syntax_error THEN
      ALTER TABLE message_bodies ALTER COLUMN body SET STORAGE EXTERNAL;
    END $$`);
    await db.query(`CREATE TABLE message_uids (
      account_id text COLLATE "C" NOT NULL,
      folder_id text COLLATE "C" NOT NULL,
      uid bigint NOT NULL,
      message_id text COLLATE "C" NOT NULL,
      flags text[] NOT NULL,
      received_at timestamptz NOT NULL,
      CONSTRAINT message_uids_pkey PRIMARY KEY (account_id, folder_id, uid)
    )`);
    await db.query(
      `CREATE INDEX message_uids_by_date ON message_uids (account_id, folder_id, received_at, message_id)`,
    );
    await db.query(`CREATE INDEX message_uids_by_message ON message_uids (account_id, message_id)`);
    await db.query(`CREATE TABLE files (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      message_id text COLLATE "C",
      part text,
      filename text COLLATE "C",
      content_type text NOT NULL,
      size bigint NOT NULL,
      content_id text,
      disposition text NOT NULL,
      blob_key text,
      CONSTRAINT files_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE INDEX files_by_name ON files (account_id, filename)`);
    await db.query(`CREATE INDEX files_by_message ON files (account_id, message_id)`);
    await db.query(`CREATE TABLE threads (
      account_id text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      subject text NOT NULL,
      subject_key bigint NOT NULL,
      first_message_at timestamptz NOT NULL,
      last_message_at timestamptz NOT NULL,
      message_count integer NOT NULL,
      unread_count integer NOT NULL,
      starred_count integer NOT NULL,
      unseen boolean NOT NULL DEFAULT false,
      version integer NOT NULL DEFAULT 0,
      categories text[] NOT NULL,
      emails text[] NOT NULL,
      email_fields smallint[] NOT NULL,
      rendered text NOT NULL,
      CONSTRAINT threads_pkey PRIMARY KEY (account_id, id)
    )`);
    await db.query(`CREATE INDEX threads_by_subject_key ON threads (account_id, subject_key)`);
    await db.query(`CREATE INDEX threads_by_start ON threads (account_id, first_message_at, id)`);
    await db.query(`CREATE INDEX threads_by_date ON threads (account_id, last_message_at, id)`);
    await db.query(`CREATE TABLE thread_categories (
      account_id text COLLATE "C" NOT NULL,
      category text COLLATE "C" NOT NULL,
      last_message_at timestamptz NOT NULL,
      thread_id text COLLATE "C" NOT NULL,
      CONSTRAINT thread_categories_pkey PRIMARY KEY (account_id, category, last_message_at, thread_id)
    )`);
    await db.query(`CREATE TABLE thread_participants (
      account_id text COLLATE "C" NOT NULL,
      email text COLLATE "C" NOT NULL,
      last_message_at timestamptz NOT NULL,
      thread_id text COLLATE "C" NOT NULL,
      fields smallint NOT NULL,
      CONSTRAINT thread_participants_pkey PRIMARY KEY (account_id, email, last_message_at, thread_id)
    )`);
    await db.query(`CREATE TABLE thread_refs (
      account_id text COLLATE "C" NOT NULL,
      ref bigint NOT NULL,
      thread_id text COLLATE "C" NOT NULL,
      CONSTRAINT thread_refs_pkey PRIMARY KEY (account_id, ref)
    )`);
    await db.query(`CREATE TABLE changes (
      account_id text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      object_type text NOT NULL,
      object_id text COLLATE "C" NOT NULL,
      event text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT changes_pkey PRIMARY KEY (account_id, seq)
    )`);
    await db.query(`CREATE INDEX messages_by_subject ON messages (account_id, left(subject, 100))`);
    await db.query(`CREATE INDEX threads_by_subject ON threads (account_id, left(subject, 100))`);
    for (const table of mailTables) {
      await db.query(`ALTER TABLE ${table} ALTER COLUMN account_id SET STATISTICS 0`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      `DROP TABLE accounts, grants, access_tokens, auth_codes, account_events, applications, categories, folder_syncs, backfill_ranges, poison_uids, messages, message_bodies, message_uids, files, threads, thread_categories, thread_participants, thread_refs, changes`,
    );
  }
}

/**
 * Without statistics on it, the planner takes any account for a two-hundredth of a table. With them, an account it has
 * not sampled, the one whose first sync just began, counts as one row: then every index that starts with the account
 * looks as good as the one that finds the row, and each look-up reads the whole account.
 */
const mailTables = [
  'messages',
  'message_bodies',
  'message_uids',
  'files',
  'threads',
  'thread_categories',
  'thread_participants',
  'thread_refs',
  'changes',
];
