import { type AddressFilter, addressFilters, type Page, type ResolvedFilter } from './mail-filter.js';
import { type FilterPart, Sql } from './sql.js';

/** SQL for message ids, newest first, or their number; `name` when it is worth preparing. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string;
}

/** Messages and drafts live in one table and never show up in each other's lists. */
export type Kind = 'message' | 'draft';

export const MOST_CANDIDATES = 3000;

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
  const ids = candidatesOf(parts, part)(sql);
  const text = `WITH hits AS MATERIALIZED (SELECT * FROM (${ids}) hit(id) LIMIT ${MOST_CANDIDATES + 1}),
      size AS (SELECT count(*)::int AS candidates FROM hits)
    SELECT size.candidates, page.id FROM size LEFT JOIN LATERAL (
      SELECT m.id FROM (SELECT DISTINCT id FROM hits) hit
      JOIN messages m ON m.account_id = $1 AND m.id = hit.id
      WHERE size.candidates <= ${MOST_CANDIDATES} AND ${isKind(kind)}${othersHold(sql, parts, part)}
      ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}
    ) page ON true`;
  return { text, values: sql.values };
}

/** All messages by date, looking at each. */
export function messagesWalked(accountId: string, kind: Kind, parts: readonly FilterPart[], page: Page): Query {
  const sql = new Sql(accountId);
  const text = `SELECT m.id FROM messages m WHERE m.account_id = $1 AND ${isKind(kind)}${othersHold(sql, parts)}
    ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}`;
  return { text, values: sql.values };
}

export function messageCount(accountId: string, kind: Kind, parts: readonly FilterPart[]): Query {
  const sql = new Sql(accountId);
  const driver = parts.findIndex((part) => part.ids !== null);
  if (driver < 0) {
    const text = `SELECT count(*)::int AS count FROM messages m WHERE m.account_id = $1 AND ${isKind(kind)}${othersHold(sql, parts)}`;
    return { text, values: sql.values };
  }
  const text = `SELECT count(*)::int AS count FROM (SELECT DISTINCT id FROM (${candidatesOf(parts, driver)(sql)}) hit(id)) hit
    JOIN messages m ON m.account_id = $1 AND m.id = hit.id
    WHERE ${isKind(kind)}${othersHold(sql, parts, driver)}`;
  return { text, values: sql.values };
}

function candidatesOf(parts: readonly FilterPart[], index: number): (sql: Sql) => string {
  const ids = parts[index]?.ids;
  if (!ids) throw new Error(`filter part ${index} cannot name its messages`);
  return ids;
}

function othersHold(sql: Sql, parts: readonly FilterPart[], except = -1): string {
  return parts
    .filter((_, index) => index !== except)
    .map((part) => ` AND ${part.holds(sql)}`)
    .join('');
}

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
    `EXISTS (SELECT FROM files f WHERE f.account_id = $1 AND f.message_id = m.id AND f.filename = ${sql.value(filename)})`,
});

const hasParticipant = ({ emails, fields }: AddressFilter): FilterPart => ({
  ids: (sql) => `SELECT message_id FROM message_participants
    WHERE account_id = $1 AND email = ANY(${sql.value(emails)}) AND fields & ${fields} <> 0`,
  holds: (sql) => `EXISTS (SELECT FROM message_participants p WHERE p.account_id = $1
    AND p.email = ANY(${sql.value(emails)}) AND p.received_at = m.received_at AND p.message_id = m.id
    AND p.fields & ${fields} <> 0)`,
});

const threadIsUnder = (entries: readonly string[]): FilterPart => ({
  ids: (sql) => `SELECT m.id FROM thread_categories c JOIN messages m ON m.account_id = $1 AND m.thread_id = c.thread_id
    WHERE c.account_id = $1 AND c.category = ANY(${sql.value(entries)})`,
  holds: (sql) => `EXISTS (SELECT FROM threads t WHERE t.account_id = $1 AND t.id = m.thread_id
    AND t.categories && ${sql.value(entries)}::text[])`,
});

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
  };
};

function flagParts({ unread, starred, hasAttachment }: ResolvedFilter): FilterPart[] {
  const flags: [boolean | undefined, string, string][] = [
    [unread, 'm.unread', 'unread'],
    [starred, 'm.starred', 'starred'],
    [hasAttachment, 'm.has_attachments', 'attachment'],
  ];
  return flags.flatMap(([wanted, column, state]): FilterPart[] => {
    if (wanted === undefined) return [];
    if (!wanted) return [{ ids: null, holds: () => `NOT ${column}` }];
    return [{ ids: () => idsOfFlagged(state, column), holds: () => column }];
  });
}

const idsOfFlagged = (state: string, column: string): string =>
  `SELECT m.id FROM thread_categories c JOIN messages m ON m.account_id = $1 AND m.thread_id = c.thread_id AND ${column}
   WHERE c.account_id = $1 AND c.category = '${state}'`;

function dateParts(filter: ResolvedFilter): FilterPart[] {
  const onMessage: [Date | undefined, string][] = [
    [filter.receivedBefore, 'm.received_at <'],
    [filter.receivedAfter, 'm.received_at >'],
  ];
  const onThread: [Date | undefined, string][] = [
    [filter.startedBefore, 't.first_message_at <'],
    [filter.startedAfter, 't.first_message_at >'],
    [filter.lastMessageBefore, 't.last_message_at <'],
    [filter.lastMessageAfter, 't.last_message_at >'],
  ];
  const parts: FilterPart[] = [];
  for (const [date, comparison] of onMessage) {
    if (date) parts.push({ ids: null, holds: (sql) => `${comparison} ${sql.value(date)}` });
  }
  for (const [date, comparison] of onThread) {
    if (date) parts.push({ ids: null, holds: (sql) => onItsThread(`${comparison} ${sql.value(date)}`) });
  }
  return parts;
}

const onItsThread = (condition: string): string =>
  `EXISTS (SELECT FROM threads t WHERE t.account_id = $1 AND t.id = m.thread_id AND ${condition})`;
