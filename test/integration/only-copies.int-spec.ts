import { sha256 } from '#libs/common/hash.js';
import { Reader } from '#libs/database/reader.js';
import { poolOf } from '#libs/database/data-source.js';
import { ONLY_COPIES, onlyCopies } from '#libs/domain/files/only-copies.js';
import { deleteOrphans } from '#libs/sync/mail/uid-changes.js';

import { MailStore } from '../support/mail-store.js';

const SEND_STATES = [
  'pending',
  'scheduled',
  'sending',
  'committing',
  'unknown',
  'sent',
  'failed',
  'cancelled',
] as const;
const OPEN = ['pending', 'scheduled', 'sending', 'committing', 'unknown'];

describe('what is nowhere else', () => {
  let store: MailStore;
  beforeAll(async () => {
    store = await MailStore.create();
  });
  afterAll(() => store.stop());

  const key = (name: string): string => sha256(name);
  const file = (name: string, part: string | null, messageId: string | null) =>
    store.rows(
      `INSERT INTO files (account_id, id, message_id, content_type, size, disposition, blob_key, part)
       VALUES ($1, $2, $3, 'text/plain', 6, 'attachment', $4, $5)`,
      [store.accountId, name, messageId, key(name), part],
    );
  const send = (id: string, state: string, content: object | null = null) =>
    store.rows(
      `INSERT INTO sends (account_id, id, message_id, state, content, settled_at)
       VALUES ($1, $2, $2, $3, $4, CASE WHEN $5 THEN now() END)`,
      [store.accountId, id, state, content && JSON.stringify(content), !OPEN.includes(state)],
    );
  const action = (id: string, kind: string, state: string, details: object) =>
    store.rows(
      `INSERT INTO actions (account_id, id, kind, object_id, state, details) VALUES ($1, $2, $3, $2, $4, $5)`,
      [store.accountId, id, kind, state, JSON.stringify(details)],
    );

  it('stays, and nothing else does, in whatever state it is', async () => {
    const [needed, others]: [string[], string[]] = [[], []];
    const expectKept = (name: string, kept: boolean) => (kept ? needed : others).push(name);
    await file('upload', null, null);
    expectKept('upload', true);
    await file('fetched', '2', 'received');
    expectKept('fetched', false);
    for (const state of SEND_STATES) {
      await send(`draft ${state}`, state);
      await file(`file of draft ${state}`, '2', `draft ${state}`);
      expectKept(`file of draft ${state}`, OPEN.includes(state));
      await send(`raw ${state}`, state, { files: [], raw: { blobKey: key(`raw ${state}`) } });
      expectKept(`raw ${state}`, OPEN.includes(state));
      await send(`new ${state}`, state, { files: [{ id: 'x' }, { id: 'y', blobKey: key(`new ${state}`) }] });
      expectKept(`new ${state}`, OPEN.includes(state));
    }
    for (const kind of ['draft.save', 'sent.save', 'message.update']) {
      for (const state of ['pending', 'failed', 'successful']) {
        const name = `${kind} ${state}`;
        const kept = kind !== 'message.update' && state !== 'successful';
        await action(name, kind, state, { blobKey: key(name) });
        expectKept(name, kept);
        await file(`file of ${name}`, '2', name);
        expectKept(`file of ${name}`, kept);
      }
    }
    const found = await onlyCopies(new Reader(poolOf(store.dataSource)), [...needed, ...others, 'none'].map(key));
    expect([...found].toSorted()).toEqual(needed.map(key).toSorted());
  });

  it('is told from the rest without reading whole tables, however many blobs are asked about', async () => {
    const asked = Array.from({ length: 500 }, (_, n) => key(`many ${n * 7}`));
    await store.rows(
      `INSERT INTO files (account_id, id, message_id, content_type, size, disposition, blob_key, part)
       SELECT $1, 'f' || n, 'm' || n, 'text/plain', 6, 'attachment', encode(sha256(('many ' || n)::bytea), 'hex'), '2'
       FROM generate_series(1, 20000) AS n`,
      [store.accountId],
    );
    await store.rows(
      `INSERT INTO sends (account_id, id, message_id, state, content, settled_at)
       SELECT $1, 's' || n, 'm' || n, CASE WHEN n % 2 = 0 THEN 'scheduled' ELSE 'sent' END,
         CASE WHEN n % 100 = 0 THEN jsonb_build_object('raw', jsonb_build_object('blobKey', md5(n::text))) END,
         CASE WHEN n % 2 = 1 THEN now() END
       FROM generate_series(1, 20000) AS n`,
      [store.accountId],
    );
    await store.rows(
      `INSERT INTO actions (account_id, id, kind, object_id, state, details)
       SELECT $1, 'a' || n, 'sent.save', 'b' || n, 'failed', jsonb_build_object('blobKey', md5(n::text))
       FROM generate_series(1, 20000) AS n`,
      [store.accountId],
    );
    for (const analyzed of [false, true]) {
      if (analyzed) await store.rows('VACUUM ANALYZE files, sends, actions');
      const [row] = await store.rows<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) ${ONLY_COPIES.replaceAll('$1', `'{${asked.join(',')}}'::text[]`)}`,
      );
      const looked = [...nodesOf(row!['QUERY PLAN'][0].Plan)].map(
        (node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
      );
      expect({ analyzed, most: Math.max(...looked) < 2000, looked }).toMatchObject({ analyzed, most: true });
    }
  });

  it.each(SEND_STATES)('a draft whose copy is gone goes, unless it is on its way: %s', async (state) => {
    const id = `orphan ${state}`;
    await store.rows(
      `INSERT INTO messages (account_id, id, thread_id, identity, subject, snippet, "from", "to", cc, bcc, reply_to, emails,
         email_fields, received_at, size, unread, starred, draft, sent, has_attachments, category_ids, "references",
         made_here, orphaned_at)
       VALUES ($1, $2, $2, md5($2)::uuid, '', '', '[]', '[]', '[]', '[]', '[]', '{}', '{}', now(), 1, false, false, true,
         false, false, '{}', '{}', true, now() - interval '1 hour')`,
      [store.accountId, id],
    );
    await send(id, state);
    for (let time = 0; time < 2; time += 1) {
      await store.writer.write(store.accountId, (tx) => deleteOrphans(tx, new Date()));
    }
    const left = await store.rows('SELECT id FROM messages WHERE id = $1', [id]);
    expect(left).toHaveLength(OPEN.includes(state) ? 1 : 0);
    // What its author counts on is saved again.
    const saving = await store.rows(`SELECT kind, details FROM actions WHERE object_id = $1`, [id]);
    expect(saving).toEqual(OPEN.includes(state) ? [{ kind: 'draft.save', details: { version: 0 } }] : []);
  });
});

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const below of node.Plans ?? []) yield* nodesOf(below);
}
