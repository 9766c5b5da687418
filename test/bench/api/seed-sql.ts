/**
 * A database as a year of use leaves it, made by statements over whole sets. Everything follows from numbers: the same
 * size gives the same rows. `$size` and `$accounts` are put in by the caller.
 */

/** The largest account has a quarter of all mail; a thread holds 3.47 messages on average. */
export const LARGEST_SHARE = 0.25;
export const MESSAGES_A_THREAD = 250_000 / 72_000;
export const CORRESPONDENTS = 400;

const FOLDERS = `(VALUES
  (0, 'inbox', 'INBOX'), (1, 'sent', 'Sent'), (2, 'archive', 'Archive'), (3, 'trash', 'Trash'), (4, 'spam', 'Junk'),
  (5, 'drafts', 'Drafts'), (6, NULL, 'Projects'), (7, NULL, 'Travel')) AS folder(n, role, path)`;

/** Helpers: a uniform number from a hash, an id as the product makes them (time in base 36, then 16 digits). */
export const functions = [
  `CREATE SCHEMA seed`,
  `CREATE FUNCTION seed.chance(n bigint, salt int) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN (hashint8extended(n, salt) & 1048575) / 1048576.0::float8`,
  `CREATE FUNCTION seed.id(at timestamptz, name text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
   DECLARE
     left_over bigint := extract(epoch FROM at) * 1000;
     digits text := '';
   BEGIN
     FOR _ IN 1..9 LOOP
       digits := substr('0123456789abcdefghijklmnopqrstuvwxyz', (left_over % 36)::int + 1, 1) || digits;
       left_over := left_over / 36;
     END LOOP;
     RETURN digits || left(md5(name), 16);
   END $$`,
  `CREATE FUNCTION seed.person_email(n int) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN (ARRAY['anna','ben','clara','david','eva','felix','grace','henri'])[n % 8 + 1] || '.' || n
            || '@firm' || n % 37 || '.example'`,
  `CREATE FUNCTION seed.person(n int) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN '{"name":"' || (ARRAY['Anna','Ben','Clara','David','Eva','Felix','Grace','Henri'])[n % 8 + 1] || ' '
            || (ARRAY['Abel','Bauer','Costa','Dubois','Evans'])[n % 5 + 1] || '","email":"'
            || seed.person_email(n) || '"}'`,
  `CREATE FUNCTION seed.word(n bigint, salt int) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN (ARRAY['report','week','plan','release','customer','spring','budget','review','meeting','notes','invoice',
       'travel','team','offer','question','answer','delay','office','garden','project'])
       [(hashint8extended(n, salt) & 65535) % 20 + 1]`,
  `CREATE TABLE seed.prose AS
   SELECT string_agg(seed.word(7, k), ' ' ORDER BY k) AS text FROM generate_series(1, 500) AS k`,
];

/** Accounts with their folders and tokens, and the plan of all messages. */
export const plan = [
  `INSERT INTO applications (id, client_id, client_secret_hash, name)
   VALUES (seed.id('2025-01-01Z', 'app'), 'bench', md5('bench'), 'Benchmark')`,
  `CREATE UNLOGGED TABLE seed.accounts AS
   SELECT n, seed.id(timestamptz '2025-01-01Z' + n * interval '1 hour', 'account' || n) AS id, 'owner' || n || '@example.com' AS email,
          CASE WHEN n = 0 THEN round($size * ${LARGEST_SHARE})
               ELSE round($size * (1 - ${LARGEST_SHARE}) / ($accounts - 1)) END::int AS messages
   FROM generate_series(0, $accounts - 1) AS n`,
  `ALTER TABLE seed.accounts ADD threads int`,
  `UPDATE seed.accounts SET threads = round(messages / ${MESSAGES_A_THREAD}::float8)`,
  `INSERT INTO accounts (id, application_id, email_address, email_key, name, provider, kind, settings, organization_unit,
     sync_state, linked_at)
   SELECT id, seed.id('2025-01-01Z', 'app'), email, email, 'Owner ' || n, 'imap', 'imap', '{}', 'folder', 'running',
          timestamptz '2025-01-01Z' + n * interval '1 hour'
   FROM seed.accounts`,
  `INSERT INTO access_tokens (id, account_id, application_id, token_hash)
   SELECT seed.id('2025-01-01Z', 'token' || n), id, seed.id('2025-01-01Z', 'app'),
          encode(sha256(convert_to('token' || n, 'UTF8')), 'hex')
   FROM seed.accounts`,
  `INSERT INTO categories (account_id, id, kind, role, path, display_name, delimiter)
   SELECT a.id, seed.id(timestamptz '2025-01-01Z' + a.n * interval '1 hour', 'folder' || a.n || '-' || folder.n),
          'folder', folder.role, folder.path, folder.path, '/'
   FROM seed.accounts a, ${FOLDERS}`,
  `CREATE UNLOGGED TABLE seed.messages AS
   WITH numbered AS (
     SELECT a.n AS account, a.id AS account_id, a.email AS owner, i, a.n * 10000000::bigint + i AS key,
            CASE WHEN i < a.threads THEN i
                 ELSE floor(a.threads * power(seed.chance(a.n * 10000000::bigint + i, 1), 1.5))::int END AS thread,
            i >= a.threads AS reply
     FROM seed.accounts a, generate_series(0, a.messages - 1) AS i
   ), dated AS (
     SELECT *, account * 10000000::bigint + thread AS thread_key,
            date_trunc('second', timestamptz '2026-06-30Z'
              - seed.chance(account * 10000000::bigint + thread, 2) * interval '1400 days') AS began
     FROM numbered
   )
   SELECT account, account_id, owner, i, key, thread_key, reply, began,
          CASE WHEN reply THEN date_trunc('second', began + interval '1 hour' + seed.chance(key, 3) * interval '20 days')
               ELSE began END AS at,
          floor(${CORRESPONDENTS} * power(seed.chance(key, 4), 2))::int AS person,
          CASE WHEN seed.chance(key, 5) < 0.4 THEN floor(${CORRESPONDENTS} * seed.chance(key, 6))::int END AS copied,
          seed.chance(key, 7) < 0.18 AS mine,
          CASE WHEN seed.chance(key, 7) < 0.18 THEN 1
               ELSE (ARRAY[0,0,0,0,0,0,0,2,2,6,6,7,3,4])[floor(seed.chance(thread_key, 8) * 14)::int + 1] END AS folder,
          seed.chance(key, 9) < 0.12 AS unread, seed.chance(key, 10) < 0.03 AS starred,
          seed.chance(key, 11) < 0.25 AS attached
   FROM dated`,
];

/** Fills the product's tables, newest mail first as a first sync does. */
export const content = [
  `CREATE UNLOGGED TABLE seed.rows AS
   SELECT account, account_id, owner, at, person, copied, mine, unread, starred, attached, reply, key, folder,
          seed.id(at, 'message' || key) AS id, seed.id(began, 'thread' || thread_key) AS thread_id,
          seed.id(timestamptz '2025-01-01Z' + account * interval '1 hour', 'folder' || account || '-' || folder) AS folder_id,
          CASE WHEN reply THEN 'Re: ' ELSE '' END || seed.word(thread_key, 1) || ' ' || seed.word(thread_key, 2)
            || ' ' || seed.word(thread_key, 3) || ' ' || thread_key % 1000 AS subject,
          '{"name":"Owner ' || account || '","email":"' || owner || '"}' AS self
   FROM seed.messages ORDER BY account, at DESC`,
  `INSERT INTO messages (account_id, id, thread_id, identity, message_id_header, in_reply_to, "references", subject,
     snippet, "from", "to", cc, bcc, reply_to, emails, email_fields, received_at, size, unread, starred, draft, sent,
     has_attachments, category_ids)
   SELECT account_id, id, thread_id, md5('identity' || key)::uuid, key || '@mail.example', NULL, '{}', subject,
          substr(prose.text, (key % 1500)::int + 1, 190),
          ('[' || CASE WHEN mine THEN self ELSE seed.person(person) END || ']')::json,
          ('[' || CASE WHEN mine THEN seed.person(person) ELSE self END || ']')::json,
          ('[' || coalesce(seed.person(copied), '') || ']')::json, '[]', '[]',
          ARRAY[owner, seed.person_email(person)]
            || CASE WHEN copied <> person THEN ARRAY[seed.person_email(copied)] ELSE '{}' END,
          ARRAY[CASE WHEN mine THEN 1 ELSE 2 END,
                CASE WHEN mine THEN 2 ELSE 1 END + CASE WHEN copied = person THEN 4 ELSE 0 END]::smallint[]
            || CASE WHEN copied <> person THEN ARRAY[4]::smallint[] ELSE '{}' END,
          at, 2000 + (key % 60000)::int, unread AND NOT mine, starred, false, mine, attached, ARRAY[folder_id]
   FROM seed.rows, seed.prose`,
  `INSERT INTO message_bodies (account_id, message_id, body)
   SELECT account_id, id, '<p>' || substr(prose.text, (key % 900)::int + 1, 400 + (key % 1300)::int) || '</p>'
   FROM seed.rows, seed.prose`,
  `INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
   SELECT account_id, folder_id, row_number() OVER (PARTITION BY account_id, folder_id ORDER BY at, id), id,
          CASE WHEN unread AND NOT mine THEN '{}' ELSE ARRAY['\\Seen'] END, at
   FROM seed.rows`,
  `INSERT INTO files (account_id, id, message_id, part, filename, content_type, size, disposition)
   SELECT account_id, seed.id(at, 'file' || key), id, '2', 'report ' || key % 500 || '.pdf', 'application/pdf',
          20000 + (key % 400000), 'attachment'
   FROM seed.rows WHERE attached`,
];

/** The same data once more, in the tables somebody would write for a small service of their own. */
export const peer = [
  `CREATE SCHEMA peer`,
  `CREATE TABLE peer.threads AS
   SELECT account_id, id, v->>'subject' AS subject, v->'participants' AS participants, v->>'snippet' AS snippet,
          to_timestamp((v->>'first_message_timestamp')::bigint) AS first_message_at,
          to_timestamp((v->>'last_message_timestamp')::bigint) AS last_message_at,
          to_timestamp((v->>'last_message_received_timestamp')::bigint) AS last_received_at,
          to_timestamp((v->>'last_message_sent_timestamp')::bigint) AS last_sent_at,
          (v->>'unread')::boolean AS unread, (v->>'starred')::boolean AS starred,
          (v->>'has_attachments')::boolean AS has_attachments, version, categories,
          ARRAY(SELECT jsonb_array_elements_text(v->'message_ids')) AS message_ids,
          ARRAY(SELECT jsonb_array_elements_text(v->'draft_ids')) AS draft_ids
   FROM (SELECT account_id, id, version, categories, (rendered || '}')::jsonb AS v FROM threads
         ORDER BY account_id, last_message_at DESC OFFSET 0) AS thread`,
  `ALTER TABLE peer.threads ADD PRIMARY KEY (account_id, id)`,
  `CREATE INDEX ON peer.threads (account_id, last_message_at DESC, id DESC)`,
  `CREATE TABLE peer.thread_categories AS
   SELECT account_id, category, last_message_at, id AS thread_id FROM peer.threads, unnest(categories) AS category`,
  `CREATE INDEX ON peer.thread_categories (account_id, category, last_message_at DESC, thread_id DESC)`,
  `CREATE TABLE peer.thread_addresses AS
   SELECT account_id, email, last_message_at, thread_id FROM thread_participants`,
  `CREATE INDEX ON peer.thread_addresses (account_id, email, last_message_at DESC, thread_id DESC)`,
  `CREATE TABLE peer.messages AS
   SELECT account_id, m.id, thread_id, subject, snippet, "from"::jsonb AS "from", "to"::jsonb AS "to", cc::jsonb AS cc,
          bcc::jsonb AS bcc, reply_to::jsonb AS reply_to, received_at, unread, starred, category_ids, body
   FROM messages m JOIN message_bodies b USING (account_id) WHERE b.message_id = m.id`,
  `ALTER TABLE peer.messages ADD PRIMARY KEY (account_id, id)`,
  `CREATE TABLE peer.files AS
   SELECT account_id, id, message_id, content_type, filename, size, content_id, disposition FROM files`,
  `CREATE INDEX ON peer.files (account_id, message_id)`,
];
