import { Pool } from 'pg';

import { SearchIndexer } from '#libs/domain/search/search-indexer.js';

import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { MessageSpec, SeededAccount, SeededMessage } from '../support/seed.js';

interface Found {
  readonly id: string;
  readonly object: string;
}

describe('search', () => {
  let env: ApiEnv;
  let pool: Pool;
  let indexer: SearchIndexer;
  let account: SeededAccount;

  beforeAll(async () => {
    env = await startApiEnv();
    pool = new Pool({ connectionString: env.config.DATABASE_URL, max: 2 });
    indexer = new SearchIndexer(pool);
  });
  afterAll(async () => {
    await pool.end();
    await env.stop();
  });
  beforeEach(async () => {
    account = await env.seed.account();
  });

  const ask = (path: string, q: string, more = '') =>
    env.client.as(account.token).get(`${path}/search?q=${encodeURIComponent(q)}${more}`);
  const ids = async (q: string, path = '/messages', more = ''): Promise<string[]> => {
    const answer = await ask(path, q, more);
    expect({ q, status: answer.status, text: answer.status === 200 ? '' : answer.text }).toEqual({
      q,
      status: 200,
      text: '',
    });
    return (answer.json as Found[]).map(({ id }) => id);
  };
  const letter = (spec: MessageSpec): Promise<SeededMessage> => env.seed.message(account, spec);

  it('is told when another worker is at an account, and leaves it alone', async () => {
    await letter({ subject: 'Contested' });
    const other = await pool.connect();
    try {
      await other.query('BEGIN');
      await other.query(`INSERT INTO search_accounts (account_id, seq, scan_after) VALUES ($1, 0, '')`, [account.id]);
      await other.query('COMMIT; BEGIN');
      await other.query('SELECT FROM search_accounts WHERE account_id = $1 FOR UPDATE', [account.id]);
      expect(await indexer.advance(account.id)).toBe(false);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
    expect(await indexer.advance(account.id)).toBe(true);
    expect(await ids('contested')).toHaveLength(1);
  });

  it('finds words in every field and folder, in both dialects', async () => {
    const fields: [string, MessageSpec][] = [
      ['quarterly', { subject: 'Quarterly numbers' }],
      ['Zoë', { from: 'Zoe Sender <zoe@firm.example>', folders: ['Sent'], sent: true }],
      ['hidden@firm.example', { bcc: ['hidden@firm.example'], folders: ['Taxes/2024'] }],
      ['receipt.pdf', { files: [{ filename: 'my-receipt.pdf' }] }],
      ['GRUSSE', { body: '<p>Viele Gr&uuml;&szlig;e</p>' }],
      ['会議', { body: '<p>明日の会議について</p>' }],
      ['встреча', { body: 'Встреча завтра' }],
    ];
    const found = new Map<string, SeededMessage>();
    for (const [q, spec] of fields) found.set(q, await letter(spec));
    await indexer.catchUp();
    for (const [q, message] of found) {
      expect(await ids(q)).toEqual([message.id]);
      expect(await ids(q, `/n/${account.id}/messages`)).toEqual([message.id]);
      expect(await ids(q, '/threads')).toEqual([message.threadId]);
      expect(await ids(q, `/n/${account.id}/threads`)).toEqual([message.threadId]);
    }
    expect(await ids('quarterly встреча')).toEqual([]);
  });

  it('shows what lists show, ranked by field and then by date, page by page', async () => {
    const body = await letter({ body: '<p>budget</p>', subject: 'A' });
    const older = await letter({ subject: 'Budget', body: 'x' });
    const newer = await letter({ subject: 'Budget', body: 'x' });
    await indexer.catchUp();
    expect(await ids('budget')).toEqual([newer.id, older.id, body.id]);
    expect(await ids('budget', '/messages', '&limit=1&offset=1')).toEqual([older.id]);
    expect(await ids('budget', '/threads', '&limit=2&offset=1')).toEqual([older.threadId, body.threadId]);
    expect(await ids('budget', '/threads', '&offset=3')).toEqual([]);
    expect(await ids('budget', '/messages', '&limit=0')).toEqual([]);
    const client = env.client.as(account.token);
    const [shown] = (await ask('/messages', 'budget', '&limit=1')).json as unknown[];
    expect(shown).toEqual(await client.ok(`/messages/${newer.id}`));
    const [expanded] = (await ask('/threads', 'budget', '&view=expanded')).json as unknown[];
    expect(expanded).toEqual(await client.ok(`/threads/${newer.threadId}?view=expanded`));
  });

  it('understands phrases, alternatives, exclusions, beginnings and fields', async () => {
    const a = await letter({ subject: 'red green blue', from: 'Ann <ann@x.example>' });
    const b = await letter({ subject: 'green red', body: '<p>ann</p>' });
    await indexer.catchUp();
    const expected: [string, SeededMessage[]][] = [
      ['"red green"', [a]],
      ['red green', [b, a]],
      ['red -blue', [b]],
      ['blue OR ann', [a, b]],
      ['gre*', [b, a]],
      ['from:ann', [a]],
      ['subject:ann', []],
      ['ann@x.example', [a]],
    ];
    for (const [q, messages] of expected) {
      expect({ q, found: (await ids(q)).toSorted() }).toEqual({ q, found: messages.map(({ id }) => id).toSorted() });
    }
  });

  it('never finds deleted messages or drafts by what they said before, whether indexed anew or not', async () => {
    const draft = await letter({ draft: true, body: 'oldtext', folders: ['Drafts'] });
    const gone = await letter({ body: 'oldtext' });
    const kept = await letter({ body: 'oldtext' });
    await indexer.catchUp();
    expect(await ids('oldtext')).toEqual([kept.id, gone.id]);
    expect((await ids('oldtext', '/threads')).toSorted()).toEqual(
      [kept, gone, draft].map(({ threadId }) => threadId).toSorted(),
    );
    await env.seed.sql('DELETE FROM messages WHERE account_id = $1 AND id = $2', [account.id, gone.id]);
    await env.seed.sql('UPDATE messages SET version = 1 WHERE account_id = $1 AND id = $2', [account.id, draft.id]);
    await env.seed.sql(`UPDATE message_bodies SET body = 'newtext' WHERE account_id = $1 AND message_id = $2`, [
      account.id,
      draft.id,
    ]);
    expect(await ids('oldtext')).toEqual([kept.id]);
    expect(await ids('oldtext', '/threads')).toEqual([kept.threadId]);
    await change('delete', 'message', gone.id);
    await change('modify', 'draft', draft.id);
    await indexer.catchUp();
    expect(await ids('oldtext', '/threads')).toEqual([kept.threadId]);
    expect(await ids('newtext', '/threads')).toEqual([draft.threadId]);
    expect(await ids('newtext')).toEqual([]);
    const [{ count } = { count: -1 }] = await env.seed.sql(
      'SELECT count(*)::int AS count FROM search_documents WHERE account_id = $1',
      [account.id],
    );
    expect(count).toBe(2);
  });

  it('goes on where the log was cut, by looking at all messages again', async () => {
    await letter({ subject: 'first' });
    await indexer.catchUp();
    const late = await letter({ subject: 'late' });
    await env.seed.sql('UPDATE accounts SET change_seq = change_seq + 5 WHERE id = $1', [account.id]);
    await indexer.catchUp();
    expect(await ids('late')).toEqual([late.id]);
  });

  it('keeps accounts apart', async () => {
    const mine = await letter({ subject: 'shared secret' });
    const other = await env.seed.account();
    await env.seed.message(other, { subject: 'shared secret' });
    await indexer.catchUp();
    expect(await ids('secret')).toEqual([mine.id]);
    expect(await env.client.as(other.token).ok('/messages/search?q=secret')).toHaveLength(1);
  });

  it.each([
    ['nothing', '', 400],
    ['blanks', '%20%20', 400],
    ['NUL', 'a%00b', 400],
    ['very much', 'x'.repeat(300), 400],
    ['only what is unwanted', '-only', 400],
    ['no word', '!!!', 400],
    ['operators', encodeURIComponent(`' | '1.a':* & !( <-> ) \\ ":::`), 200],
    ['many words', encodeURIComponent('a '.repeat(127)), 200],
    ['what is no UTF-8', '%ff%fe%F0%9F', 400],
    ['odd letters', encodeURIComponent('👩‍👩‍👧 ' + 'ﷺ'.repeat(40)), 200],
  ])('answers %s', async (_, q, status) => {
    await letter({ body: 'a b c' });
    await indexer.catchUp();
    for (const path of ['/messages', '/threads']) {
      expect((await env.client.as(account.token).get(`${path}/search?q=${q}`)).status).toBe(status);
    }
  });

  it('says that q is missing, and what else is wrong', async () => {
    const client = env.client.as(account.token);
    expect(await client.get('/messages/search')).toMatchObject({
      status: 400,
      json: { type: 'invalid_request_error', message: 'GET HTTP method must include q url parameter' },
    });
    for (const more of ['limit=1001', 'offset=-1', 'view=ids', 'source=elsewhere']) {
      expect((await client.get(`/threads/search?q=a&${more}`)).status).toBe(400);
    }
    expect((await env.client.get('/messages/search?q=a')).status).toBe(401);
  });

  it('goes on in accounts that are stopped, but not to their servers', async () => {
    const { id } = await letter({ subject: 'stopped' });
    await indexer.catchUp();
    await env.seed.sql('UPDATE accounts SET sync_enabled = false WHERE id = $1', [account.id]);
    expect(await ids('stopped')).toEqual([id]);
    expect(await ask('/messages', 'stopped', '&source=provider')).toMatchObject({ status: 403 });
  });

  async function change(event: string, type: string, id: string): Promise<void> {
    await env.seed.sql(
      `WITH counter AS (UPDATE accounts SET change_seq = change_seq + 1 WHERE id = $1 RETURNING change_seq)
       INSERT INTO changes (account_id, seq, object_type, object_id, event)
       SELECT $1, change_seq, $2, $3, $4 FROM counter`,
      [account.id, type, id, event],
    );
  }
});
