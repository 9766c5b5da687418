import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';

import { Client, Pool } from 'pg';

/**
 * The bare peer of bench:streams: node:http and pg. It listens on the same channel, reads the same change from the same
 * log and writes a line with the message in it; every second an empty one. No validation, no paging, no slow readers.
 */
const url = process.env.DATABASE_URL;
const pool = new Pool({ connectionString: url, max: Number(process.env.DATABASE_POOL_SIZE ?? 10) });
const SHARES = 20;

interface Stream {
  readonly response: ServerResponse;
  seq: string;
}

const streams = new Map<string, Set<Stream>>();
const shares = Array.from({ length: SHARES }, () => new Set<ServerResponse>());
let [added, ticks] = [0, 0];

const CHANGES = `SELECT c.seq, c.event, c.object_id, m.thread_id, m.subject, m.snippet, m."from", m."to", m.cc,
    extract(epoch FROM m.received_at)::bigint AS date, m.unread, m.starred, b.body
  FROM changes c JOIN messages m ON m.account_id = c.account_id AND m.id = c.object_id
  JOIN message_bodies b ON b.account_id = c.account_id AND b.message_id = c.object_id
  WHERE c.account_id = $1 AND c.seq > $2 ORDER BY c.seq`;

async function tell(accountId: string): Promise<void> {
  for (const stream of streams.get(accountId) ?? []) {
    const { rows } = await pool.query<{ seq: string }>({
      name: 'changes',
      text: CHANGES,
      values: [accountId, stream.seq],
    });
    for (const row of rows) {
      stream.response.write(`${JSON.stringify(row)}\n`);
      stream.seq = row.seq;
    }
  }
}

const bell = new Client({ connectionString: url });
await bell.connect();
bell.on('notification', ({ payload }) => void tell(payload?.split(' ')[0] ?? ''));
await bell.query('LISTEN account_changes');

const server = createServer((request, response) => {
  void open(request.headers.authorization ?? '', response);
});

async function open(authorization: string, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256').update(authorization.replace('Bearer ', '')).digest('hex');
  const { rows } = await pool.query<{ id: string; change_seq: string }>(
    'SELECT a.id, a.change_seq FROM accounts a JOIN access_tokens t ON t.account_id = a.id WHERE t.token_hash = $1',
    [hash],
  );
  const { id, change_seq: seq } = rows[0]!;
  const stream: Stream = { response, seq };
  streams.set(id, (streams.get(id) ?? new Set()).add(stream));
  shares[added++ % SHARES]!.add(response);
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write('\n');
}

setInterval(() => {
  for (const response of shares[ticks++ % SHARES]!) response.write('\n');
}, 1000 / SHARES);

server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.({ type: 'ready' }));
process.on('SIGTERM', () => process.exit(0));
