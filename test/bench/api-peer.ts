import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { Pool } from 'pg';

/**
 * The bare peer: node:http and pg, tables and queries as somebody would write them for a small service of their own
 * (test/bench/api/seed-sql.ts makes and fills them). Rows become objects, objects become JSON. It answers the same
 * requests as our API with the same bytes, and nothing else: no validation, no errors worth reading, no logging.
 */
const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DATABASE_POOL_SIZE),
});

interface Folder {
  readonly id: string;
  readonly role: string | null;
  readonly display_name: string;
}

interface ThreadRow {
  readonly id: string;
  readonly subject: string;
  readonly participants: unknown[];
  readonly snippet: string;
  readonly first_message_at: Date;
  readonly last_message_at: Date;
  readonly last_received_at: Date | null;
  readonly last_sent_at: Date | null;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly has_attachments: boolean;
  readonly version: number;
  readonly categories: string[];
  readonly message_ids: string[];
  readonly draft_ids: string[];
}

interface MessageRow {
  readonly id: string;
  readonly thread_id: string;
  readonly subject: string;
  readonly snippet: string;
  readonly from: unknown[];
  readonly to: unknown[];
  readonly cc: unknown[];
  readonly bcc: unknown[];
  readonly reply_to: unknown[];
  readonly received_at: Date;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly category_ids: string[];
  readonly body: string;
}

interface FileRow {
  readonly id: string;
  readonly content_type: string;
  readonly filename: string | null;
  readonly size: string;
  readonly content_id: string | null;
  readonly disposition: string;
}

/** Tokens and folders change rarely and are remembered, as they are by our API. */
const accounts = new Map<string, { id: string; folders: Map<string, Folder> }>();

async function accountOf(token: string) {
  const known = accounts.get(token);
  if (known) return known;
  const hash = createHash('sha256').update(token).digest('hex');
  const owner = await pool.query<{ account_id: string }>('SELECT account_id FROM access_tokens WHERE token_hash = $1', [
    hash,
  ]);
  const id = owner.rows[0]!.account_id;
  const folders = await pool.query<Folder>('SELECT id, role, display_name FROM categories WHERE account_id = $1', [id]);
  const account = { id, folders: new Map(folders.rows.map((folder) => [folder.id, folder])) };
  accounts.set(token, account);
  return account;
}

type PeerAccount = Awaited<ReturnType<typeof accountOf>>;

const COLUMNS = `t.id, t.subject, t.participants, t.snippet, t.first_message_at, t.last_message_at, t.last_received_at,
  t.last_sent_at, t.unread, t.starred, t.has_attachments, t.version, t.categories, t.message_ids, t.draft_ids`;

/**
 * Limit and offset stand in the text, and filtered lists are planned anew each time: in a prepared statement the planner
 * would know neither how few rows are wanted nor how common an address is.
 */
async function threadRows(account: PeerAccount, query: URLSearchParams): Promise<ThreadRow[]> {
  const page = `LIMIT ${Number(query.get('limit') ?? 100)} OFFSET ${Number(query.get('offset') ?? 0)}`;
  const place = query.get('in') ?? query.get('tag');
  const email = query.get('any_email');
  if (place !== null) {
    const folder = [...account.folders.values()].find((each) => each.role === place);
    const text = `SELECT ${COLUMNS} FROM peer.thread_categories l
      JOIN peer.threads t ON t.account_id = l.account_id AND t.id = l.thread_id
      WHERE l.account_id = $1 AND l.category = $2
      ORDER BY l.last_message_at DESC, l.thread_id DESC ${page}`;
    return threads(text, [account.id, folder?.id ?? place]);
  }
  if (email !== null) {
    const text = `SELECT ${COLUMNS} FROM peer.thread_addresses a
      JOIN peer.threads t ON t.account_id = a.account_id AND t.id = a.thread_id
      WHERE a.account_id = $1 AND a.email = $2
      ORDER BY a.last_message_at DESC, a.thread_id DESC ${page}`;
    return threads(text, [account.id, email]);
  }
  const text = `SELECT ${COLUMNS} FROM peer.threads t WHERE t.account_id = $1
    ORDER BY t.last_message_at DESC, t.id DESC ${page}`;
  return threads(text, [account.id], `threads ${page}`);
}

async function threads(text: string, values: readonly string[], name?: string): Promise<ThreadRow[]> {
  return (await pool.query<ThreadRow>({ text, values: [...values], ...(name ? { name } : {}) })).rows;
}

const seconds = (at: Date | null): number | null => (at === null ? null : Math.floor(at.getTime() / 1000));

function threadView(account: PeerAccount, row: ThreadRow, v1: boolean) {
  return {
    id: row.id,
    object: 'thread',
    namespace_id: account.id,
    account_id: account.id,
    subject: row.subject,
    participants: row.participants,
    last_message_timestamp: seconds(row.last_message_at),
    last_message_received_timestamp: seconds(row.last_received_at),
    last_message_sent_timestamp: seconds(row.last_sent_at),
    first_message_timestamp: seconds(row.first_message_at),
    snippet: row.snippet,
    unread: row.unread,
    starred: row.starred,
    has_attachments: row.has_attachments,
    message_ids: row.message_ids,
    draft_ids: row.draft_ids,
    version: row.version,
    ...(v1 ? { tags: tagsOf(account, row.categories) } : { folders: foldersOf(account, row.categories) }),
  };
}

const ORDER = ['inbox', 'sent', 'drafts', 'archive', null, 'starred', 'important', 'all', 'trash', 'spam'];

function foldersOf(account: PeerAccount, categories: readonly string[]) {
  return categories
    .map((id) => account.folders.get(id))
    .filter((folder) => folder !== undefined)
    .toSorted((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || (a.id < b.id ? -1 : 1))
    .map((folder) => ({ id: folder.id, name: folder.role, display_name: folder.display_name }));
}

function tagsOf(account: PeerAccount, categories: readonly string[]) {
  const tags = new Map<string, { id: string; name: string }>();
  for (const entry of categories) {
    const folder = account.folders.get(entry);
    const id = folder?.role ?? entry;
    tags.set(id, { id, name: folder && folder.role === null ? folder.display_name.toLowerCase() : id });
  }
  return [...tags.values()];
}

async function message(account: PeerAccount, id: string) {
  const values = [account.id, id];
  const [messages, files] = await Promise.all([
    pool.query<MessageRow>({
      name: 'message',
      text: 'SELECT * FROM peer.messages WHERE account_id = $1 AND id = $2',
      values,
    }),
    pool.query<FileRow>({
      name: 'files',
      text: 'SELECT * FROM peer.files WHERE account_id = $1 AND message_id = $2',
      values,
    }),
  ]);
  const row = messages.rows[0]!;
  return {
    id: row.id,
    object: 'message',
    namespace_id: account.id,
    account_id: account.id,
    subject: row.subject,
    from: row.from,
    to: row.to,
    cc: row.cc,
    bcc: row.bcc,
    reply_to: row.reply_to,
    date: seconds(row.received_at),
    thread_id: row.thread_id,
    snippet: row.snippet,
    body: row.body,
    unread: row.unread,
    starred: row.starred,
    files: files.rows.map(fileView),
    events: [],
    folder: foldersOf(account, row.category_ids)[0] ?? null,
  };
}

function fileView(row: FileRow) {
  return {
    id: row.id,
    object: 'file',
    content_type: row.content_type,
    filename: row.filename,
    size: Number(row.size),
    ...(row.content_id === null ? {} : { content_id: row.content_id }),
    content_disposition: row.disposition,
  };
}

async function answer(request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://peer');
  const account = await accountOf((request.headers.authorization ?? '').replace('Bearer ', ''));
  const [, first, namespace, ...rest] = url.pathname.split('/');
  const v1 = first === 'n';
  const [collection, id] = v1 ? rest : [first, namespace];
  if (collection === 'messages' && id) return message(account, id);
  if (url.searchParams.get('view') === 'count') {
    const text = `SELECT count(*)::int AS count FROM peer.${collection === 'messages' ? 'messages' : 'threads'} WHERE account_id = $1`;
    return (await pool.query<{ count: number }>({ name: `count-${collection}`, text, values: [account.id] })).rows[0];
  }
  return (await threadRows(account, url.searchParams)).map((row) => threadView(account, row, v1));
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.from(JSON.stringify(await answer(request)));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});

server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send?.({ type: 'ready' }));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
process.on('disconnect', () => process.exit(0));
