import { chownSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ImapFlow } from 'imapflow';
import { Pool } from 'pg';

import { newId } from '#libs/common/ids.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { ImapTally } from '../bench/live/imap-tally.js';
import { letter } from '../support/letters.js';
import { statementsOf } from '../support/statements.js';

/** A file may have 65,000 names on ext4. */
const NAMES_A_FILE = 50_000;

/** What the session does until it rests again. */
interface Cost {
  readonly commands: readonly string[];
  readonly statements: readonly string[];
}

describe('a change in a folder', () => {
  let engine: Engine;
  let statements: string[];

  beforeAll(async () => {
    engine = await Engine.start({ env: { SYNC_FOLDER_POLL_SECONDS: '3600' } });
    statements = statementsOf(engine.app.get(Pool));
  });
  afterAll(() => engine.stop());

  /** An inbox with so many messages, all of them read, as they lie on the disk of the server. */
  function fillInbox(user: string, count: number): void {
    engine.dovecot.addUser(user, 'pw');
    const { uid, gid } = engine.dovecot.owner;
    const inbox = engine.dovecot.mailDir(user);
    for (const folder of ['', 'cur', 'new', 'tmp']) {
      mkdirSync(path.join(inbox, folder), { recursive: true });
      chownSync(path.join(inbox, folder), uid, gid);
    }
    let file = '';
    for (let n = 1; n <= count; n += 1) {
      const name = path.join(inbox, 'cur', `${1_700_000_000 + n}.M1P1.host:2,S`);
      if (n % NAMES_A_FILE === 1) {
        writeFileSync((file = name), letter({ name: `m${n}` }));
        chownSync(name, uid, gid);
      } else linkSync(file, name);
    }
  }

  async function open(user: string): Promise<ImapFlow> {
    const { imapPort } = engine.dovecot;
    const auth = { user, pass: 'pw' };
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: imapPort,
      secure: false,
      doSTARTTLS: false,
      auth,
      qresync: true,
      logger: false,
    });
    await client.connect();
    await client.mailboxOpen('INBOX');
    return client;
  }

  /** What a first sync would have left in the database, of the inbox and of the empty folders beside it. */
  async function store(accountId: string, client: ImapFlow): Promise<void> {
    const { exists } = client.mailbox || { exists: 0 };
    const statusQuery = { messages: true, uidNext: true, uidValidity: true, highestModseq: true };
    const folders = (await client.list({ statusQuery })).map(({ path: name, status }) => {
      const { uidValidity, uidNext, messages, highestModseq } = status!;
      const cursor = { uidValidity: String(uidValidity), modseq: String(highestModseq), uidNext, messages };
      return { id: newId(), name, cursor: JSON.stringify(cursor), messages };
    });
    await engine.rows(
      `WITH given AS (
         SELECT * FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::int[]) AS folder(id, path, cursor, messages)
       ), category AS (
         INSERT INTO categories (account_id, id, kind, role, path, display_name, delimiter)
         SELECT $1, id, 'folder', CASE path WHEN 'INBOX' THEN 'inbox' END, path, path, '/' FROM given
       )
       INSERT INTO folder_syncs (account_id, folder_id, cursor, total, synced, state, swept_at, drift_checked_at)
       SELECT $1, id, cursor, messages, messages, 'running', now(), now() FROM given`,
      [
        accountId,
        folders.map(({ id }) => id),
        folders.map(({ name }) => name),
        folders.map(({ cursor }) => cursor),
        folders.map(({ messages }) => messages),
      ],
    );
    const folderId = folders.find(({ name }) => name === 'INBOX')!.id;
    await engine.rows(
      `INSERT INTO messages (account_id, id, thread_id, identity, "references", subject, snippet, "from", "to", cc, bcc,
         reply_to, emails, email_fields, received_at, size, unread, starred, draft, sent, has_attachments, category_ids)
       SELECT $1, $2 || n, $3 || n, gen_random_uuid(), '{}', 'Hello', 'Hello', '[]', '[]', '[]', '[]', '[]', '{}', '{}',
         now() - n * interval '1 minute', 1000, false, false, false, false, false, ARRAY[$4]
       FROM generate_series(1, $5) AS n`,
      [accountId, `${newId()}m`, `${newId()}t`, folderId, exists],
    );
    await engine.rows(
      `INSERT INTO message_uids (account_id, folder_id, uid, message_id, flags, received_at)
       SELECT $1, $2, row_number() OVER (ORDER BY received_at), id, '{"\\\\Seen"}', received_at
       FROM messages WHERE account_id = $1`,
      [accountId, folderId],
    );
    await engine.rows('UPDATE accounts SET sync_seen_at = now() WHERE id = $1', [accountId]);
  }

  async function costOfFlagging(user: string, messages: number): Promise<Cost[]> {
    fillInbox(user, messages);
    const client = await open(user);
    const tally = await ImapTally.to(engine.dovecot.imapPort);
    const accountId = await engine.addAccount(tally.port, user);
    await store(accountId, client);
    const session = await engine.watch(accountId);
    const rests = () => tally.commands.at(-1) === 'IDLE';
    await eventually('rest', async () => rests());
    const costs: Cost[] = [];
    for (const uid of [messages / 2, 7, messages]) {
      const [said, asked] = [tally.commands.length, statements.length];
      await client.messageFlagsAdd(String(uid), ['\\Flagged'], { uid: true });
      await eventually('the flag, and rest', async () => tally.commands.length > said && rests());
      const [flagged] = await engine.rows<{ count: number }>(
        'SELECT count(*)::int AS count FROM messages WHERE account_id = $1 AND starred',
        [accountId],
      );
      // TypeORM's own connection is one of the same pool: what the test asks is not the session's.
      costs.push({ commands: tally.commands.slice(said), statements: statements.slice(asked, -1) });
      expect(flagged!.count).toBe(costs.length);
    }
    await session.stop();
    tally.close();
    await client.logout();
    return costs;
  }

  it('costs the same commands and statements among 100,000 messages as among 100', async () => {
    const small = await costOfFlagging('small@example.com', 100);
    const big = await costOfFlagging('big@example.com', 100_000);
    expect(small[0]!.commands).toEqual(['DONE', 'EXAMINE', 'IDLE']);
    expect(small[0]!.statements).toEqual(expect.arrayContaining(['BEGIN', 'COMMIT']));
    expect(big).toEqual(small);
  });
});
