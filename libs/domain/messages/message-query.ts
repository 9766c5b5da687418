import { type AddressFilter, addressFilters, type Page, type ResolvedFilter } from './mail-filter.js';
import { bounds, candidates, exists, type FilterPart, idsOf, mostOf, othersHold, Sql, type Walk } from './sql.js';

/** SQL for message ids, newest first, or their number; `name` when it is worth preparing. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string;
}

/** Messages and drafts live in one table and never show up in each other's lists. */
export type Kind = 'message' | 'draft';

const NEWEST_FIRST = `ORDER BY m.received_at DESC, m.id DESC`;

const isKind = (kind: Kind): string => (kind === 'draft' ? 'm.draft' : 'NOT m.draft');

/** Messages among the ids of one part for which all other parts hold; as `threadsAmong`. */
export function messagesAmong(
  accountId: string,
  kind: Kind,
  part: number,
  parts: readonly FilterPart[],
  page: Page,
): Query {
  const sql = new Sql(accountId);
  const text = `WITH ${candidates(sql, parts, part)}
    SELECT size.candidates, page.id FROM size LEFT JOIN LATERAL (
      SELECT m.id FROM (SELECT DISTINCT id FROM hits) hit
      JOIN messages m ON m.account_id = $1 AND m.id = hit.id
      WHERE size.candidates <= ${mostOf(parts[part])} AND ${isKind(kind)}${othersHold(sql, parts, part)}
      ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}
    ) page ON true`;
  return { text, values: sql.values };
}

/** Messages by date, those of one folder or person where there is such a filter, looking at each. */
export function messagesWalked(accountId: string, kind: Kind, parts: readonly FilterPart[], page: Page): Query {
  const sql = new Sql(accountId);
  const along = parts.findIndex((part) => part.walk !== undefined);
  const walk = parts[along]?.walk?.(sql);
  if (!walk) {
    const text = `SELECT m.id FROM messages m WHERE m.account_id = $1 AND ${isKind(kind)}${othersHold(sql, parts)}
      ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}`;
    return { text, values: sql.values };
  }
  const passes = `SELECT FROM messages m WHERE m.account_id = $1 AND m.id = w.${walk.id}
    AND ${isKind(kind)}${othersHold(sql, parts, along)}`;
  // DISTINCT: a message may lie twice in one folder.
  const text = `SELECT DISTINCT w.${walk.date} AS at, w.${walk.id} AS id
    ${walk.rows}${bounds(sql, parts, walk)} AND ${exists(passes)}
    ORDER BY at DESC, id DESC LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}`;
  return { text, values: sql.values };
}

/** The number of messages that pass. Drafts are taken off a number the index has: they are few. */
export function messageCount(accountId: string, kind: Kind, parts: readonly FilterPart[]): Query {
  const [first] = parts;
  if (kind === 'message' && !first) return { text: COUNT_ALL, values: [accountId], name: 'message-count' };
  const sql = new Sql(accountId);
  if (kind === 'message' && parts.length === 1 && first?.ids) {
    const text = `SELECT count(DISTINCT hit.id)::int AS count FROM (${first.ids(sql)}) hit(id)
      WHERE hit.id <> ALL (ARRAY(${DRAFTS}))`;
    return { text, values: sql.values };
  }
  const driver = parts.findIndex((part) => part.ids !== null);
  if (driver < 0) {
    const text = `SELECT count(*)::int AS count FROM messages m
      WHERE m.account_id = $1 AND ${isKind(kind)}${othersHold(sql, parts)}`;
    return { text, values: sql.values };
  }
  const text = `SELECT count(*)::int AS count FROM (SELECT DISTINCT id FROM (${idsOf(parts, driver)(sql)}) hit(id)) hit
    JOIN messages m ON m.account_id = $1 AND m.id = hit.id
    WHERE ${isKind(kind)}${othersHold(sql, parts, driver)}`;
  return { text, values: sql.values };
}

const DRAFTS = `SELECT d.id FROM thread_categories c
  JOIN messages d ON d.account_id = $1 AND d.thread_id = c.thread_id AND d.draft
  WHERE c.account_id = $1 AND c.category = 'drafts'`;

const COUNT_ALL = `SELECT ((SELECT count(*) FROM messages WHERE account_id = $1)
  - (SELECT count(*) FROM (${DRAFTS}) draft))::int AS count`;

/** The filter's parts, the one that is likely to match least first. */
export function messageParts(filter: ResolvedFilter, kind: Kind): FilterPart[] {
  const { threadId, subject, filename } = filter;
  return [
    ...(threadId === undefined ? [] : [inThread(threadId)]),
    ...(subject === undefined ? [] : [subjectIs(subject)]),
    ...(filename === undefined ? [] : [hasFileNamed(filename)]),
    ...(kind === 'draft' ? [threadIsUnder(['drafts'])] : []),
    ...addressFilters(filter).map(hasParticipant),
    ...(filter.tag ? [threadIsUnder(filter.tag)] : []),
    ...(filter.in ? [liesIn(filter.in)] : []),
    ...flagParts(filter),
    ...dateParts(filter),
  ];
}

const inThread = (id: string): FilterPart => ({
  ids: (sql) => `SELECT id FROM messages WHERE account_id = $1 AND thread_id = ${sql.value(id)}`,
  holds: (sql) => `m.thread_id = ${sql.value(id)}`,
});

const subjectIs = (subject: string): FilterPart => ({
  ids: (sql) => {
    const value = sql.value(subject);
    return `SELECT id FROM messages WHERE account_id = $1 AND left(subject, 100) = left(${value}, 100) AND subject = ${value}`;
  },
  holds: (sql) => `m.subject = ${sql.value(subject)}`,
});

const hasFileNamed = (filename: string): FilterPart => ({
  ids: (sql) =>
    `SELECT message_id FROM files WHERE account_id = $1 AND message_id IS NOT NULL AND filename = ${sql.value(filename)}`,
  holds: (sql) =>
    exists(
      `SELECT FROM files f WHERE f.account_id = $1 AND f.message_id = m.id AND f.filename = ${sql.value(filename)}`,
    ),
});

const hasParticipant = ({ emails, fields }: AddressFilter): FilterPart => ({
  ids: (sql) => {
    const list = sql.value(emails);
    const threads = `SELECT thread_id FROM thread_participants
      WHERE account_id = $1 AND email = ANY(${list}) AND fields & ${fields} <> 0`;
    return messagesOfThreads(threads, ` AND ${standsIn(list, fields)}`);
  },
  most: MOST_THREADS,
  holds: (sql) => standsIn(sql.value(emails), fields),
});

const standsIn = (emails: string, fields: number): string =>
  `(m.emails && ${emails}::text[] AND EXISTS (SELECT FROM unnest(m.emails, m.email_fields) AS p(email, fields)
    WHERE p.email = ANY(${emails}) AND p.fields & ${fields} <> 0))`;

const threadIsUnder = (entries: readonly string[]): FilterPart => ({
  ids: (sql) => messagesOfThreadsUnder(sql.value(entries), ''),
  most: MOST_THREADS,
  holds: (sql) =>
    exists(`SELECT FROM threads t WHERE t.account_id = $1 AND t.id = m.thread_id
      AND t.categories && ${sql.value(entries)}::text[]`),
});

/** Going from a thread to its messages costs more than finding the thread: worth it only for rare categories. */
const MOST_THREADS = 500;

const messagesOfThreadsUnder = (entries: string, condition: string): string =>
  messagesOfThreads(
    `SELECT thread_id FROM thread_categories WHERE account_id = $1 AND category = ANY(${entries})`,
    condition,
  );

const messagesOfThreads = (threads: string, condition: string): string =>
  `SELECT m.id FROM (
     ${threads} OFFSET 0
   ) c CROSS JOIN LATERAL (
     SELECT id FROM messages m WHERE m.account_id = $1 AND m.thread_id = c.thread_id${condition} OFFSET 0
   ) m`;

/** States a message has by itself; `unseen` is its thread's alone. */
const OWN_STATES: Readonly<Record<string, string>> = {
  unread: 'm.unread',
  starred: 'm.starred',
  attachment: 'm.has_attachments',
  drafts: 'm.draft',
  sent: 'm.sent',
};

const liesIn = (entries: readonly string[]): FilterPart => {
  const states = entries.map((entry) => OWN_STATES[entry]).filter((condition) => condition !== undefined);
  const folderIds = entries.filter((entry) => OWN_STATES[entry] === undefined);
  return {
    ids:
      states.length > 0
        ? null
        : (sql) =>
            `SELECT message_id FROM message_uids WHERE account_id = $1 AND folder_id = ANY(${sql.value(folderIds)})`,
    holds: (sql) => `(${[...states, `m.category_ids && ${sql.value(folderIds)}::text[]`].join(' OR ')})`,
    ...(states.length === 0 && folderIds.length === 1
      ? { walk: (sql: Sql) => alongFolder(sql.value(folderIds[0])) }
      : {}),
  };
};

const alongFolder = (folderId: string): Walk => ({
  rows: `FROM message_uids w WHERE w.account_id = $1 AND w.folder_id = ${folderId}`,
  date: 'received_at',
  id: 'message_id',
});

function flagParts({ unread, starred, hasAttachment }: ResolvedFilter): FilterPart[] {
  const flags: [boolean | undefined, string, string][] = [
    [unread, 'm.unread', 'unread'],
    [starred, 'm.starred', 'starred'],
    [hasAttachment, 'm.has_attachments', 'attachment'],
  ];
  return flags.flatMap(([wanted, column, state]): FilterPart[] => {
    if (wanted === undefined) return [];
    if (!wanted) return [{ ids: null, holds: () => `NOT ${column}` }];
    const ids = () => messagesOfThreadsUnder(`'{${state}}'`, ` AND ${column}`);
    return [{ ids, most: MOST_THREADS, holds: () => column }];
  });
}

function dateParts(filter: ResolvedFilter): FilterPart[] {
  return [
    ...received('<', filter.receivedBefore),
    ...received('>', filter.receivedAfter),
    ...ofThread('t.first_message_at <', filter.startedBefore),
    ...ofThread('t.first_message_at >', filter.startedAfter),
    ...ofThread('t.last_message_at <', filter.lastMessageBefore),
    ...ofThread('t.last_message_at >', filter.lastMessageAfter),
  ];
}

function received(comparison: '<' | '>', date: Date | undefined): FilterPart[] {
  if (!date) return [];
  const on = (sql: Sql, column: string) => `${column} ${comparison} ${sql.value(date)}`;
  return [{ ids: null, holds: (sql) => on(sql, 'm.received_at'), bound: on }];
}

const ofThread = (comparison: string, date: Date | undefined): FilterPart[] =>
  date ? [{ ids: null, holds: (sql) => onItsThread(`${comparison} ${sql.value(date)}`) }] : [];

const onItsThread = (condition: string): string =>
  exists(`SELECT FROM threads t WHERE t.account_id = $1 AND t.id = m.thread_id AND ${condition}`);
