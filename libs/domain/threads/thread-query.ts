import {
  type AddressFilter,
  addressFilters,
  isUnfiltered,
  type Page,
  type ResolvedFilter,
} from '../messages/mail-filter.js';
import {
  bounds,
  candidates,
  exists,
  type FilterPart,
  idsOf,
  mostOf,
  othersHold,
  Sql,
  type Walk,
} from '../messages/sql.js';

/** SQL for one page of threads or their number; `name` when it is worth preparing. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string;
}

/** Up to this offset rows are skipped while being read; beyond, ids come first from the index alone. */
const SHALLOW = 200;

const COLUMNS = {
  full: `t.rendered, t.version, array_to_string(t.categories, ',') AS categories`,
  ids: `t.id`,
} as const;
export type Shape = keyof typeof COLUMNS;

const NEWEST_FIRST = `ORDER BY t.last_message_at DESC, t.id DESC`;

/** Every thread, newest first. */
export function allThreads(accountId: string, shape: Shape, page: Page): Query {
  const values = [accountId, page.limit, page.offset];
  if (page.offset <= SHALLOW || shape === 'ids') {
    const text = `SELECT ${COLUMNS[shape]} FROM threads t WHERE t.account_id = $1 ${NEWEST_FIRST} LIMIT $2 OFFSET $3`;
    return { text, values, name: `threads-${shape}` };
  }
  return {
    text: `SELECT ${COLUMNS[shape]} FROM (
        SELECT id FROM threads WHERE account_id = $1 ORDER BY last_message_at DESC, id DESC LIMIT $2 OFFSET $3
      ) page JOIN threads t ON t.account_id = $1 AND t.id = page.id ${NEWEST_FIRST}`,
    values,
    name: `threads-${shape}-deep`,
  };
}

/**
 * Threads under any of these categories, newest first: the newest of each category, merged. `thread_categories` is
 * ordered by date, so each is one index range.
 */
export function threadsUnder(accountId: string, entries: readonly string[], shape: Shape, page: Page): Query {
  const [only] = entries;
  if (entries.length === 1) {
    return {
      text: `SELECT ${COLUMNS[shape]} FROM (
          SELECT thread_id, last_message_at FROM thread_categories WHERE account_id = $1 AND category = $2
          ORDER BY last_message_at DESC, thread_id DESC LIMIT $3 OFFSET $4
        ) page JOIN threads t ON t.account_id = $1 AND t.id = page.thread_id
        ORDER BY page.last_message_at DESC, page.thread_id DESC`,
      values: [accountId, only, page.limit, page.offset],
      name: `threads-under-${shape}`,
    };
  }
  return {
    text: `SELECT ${COLUMNS[shape]} FROM (
        SELECT DISTINCT newest.last_message_at, newest.thread_id
        FROM unnest($2::text[]) AS entry(category) CROSS JOIN LATERAL (
          SELECT last_message_at, thread_id FROM thread_categories
          WHERE account_id = $1 AND category = entry.category
          ORDER BY last_message_at DESC, thread_id DESC LIMIT $3::bigint + $4::bigint
        ) newest
        ORDER BY 1 DESC, 2 DESC LIMIT $3::bigint OFFSET $4::bigint
      ) page JOIN threads t ON t.account_id = $1 AND t.id = page.thread_id
      ORDER BY page.last_message_at DESC, page.thread_id DESC`,
    values: [accountId, entries, page.limit, page.offset],
    name: `threads-under-any-${shape}`,
  };
}

/** Threads of one person, newest first, along `thread_participants`. */
export function threadsOf(accountId: string, { emails, fields }: AddressFilter, shape: Shape, page: Page): Query {
  return {
    text: `SELECT ${COLUMNS[shape]} FROM (
        SELECT thread_id, last_message_at FROM thread_participants
        WHERE account_id = $1 AND email = $2 AND fields & $3::smallint <> 0
        ORDER BY last_message_at DESC, thread_id DESC LIMIT $4 OFFSET $5
      ) page JOIN threads t ON t.account_id = $1 AND t.id = page.thread_id
      ORDER BY page.last_message_at DESC, page.thread_id DESC`,
    values: [accountId, emails[0], fields, page.limit, page.offset],
    name: `threads-of-${shape}`,
  };
}

/**
 * Threads among the ids of one part for which all other parts hold. Answers one row at least: `candidates` tells how
 * many rows the part had, and when they were too many nothing else was looked at.
 */
export function threadsAmong(
  accountId: string,
  part: number,
  parts: readonly FilterPart[],
  shape: Shape,
  page: Page,
): Query {
  const sql = new Sql(accountId);
  const text = `WITH ${candidates(sql, parts, part)}
    SELECT size.candidates, page.* FROM size LEFT JOIN LATERAL (
      SELECT ${COLUMNS[shape]} FROM (SELECT DISTINCT id FROM hits) hit
      JOIN threads t ON t.account_id = $1 AND t.id = hit.id
      WHERE size.candidates <= ${mostOf(parts[part])}${othersHold(sql, parts, part)}
      ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}
    ) page ON true`;
  return { text, values: sql.values };
}

/** Threads by date, those of one category where there is such a filter, looking at each. */
export function threadsWalked(accountId: string, parts: readonly FilterPart[], shape: Shape, page: Page): Query {
  const sql = new Sql(accountId);
  const along = parts.findIndex((part) => part.walk !== undefined);
  const walk = parts[along]?.walk?.(sql);
  if (!walk) {
    const text = `SELECT ${COLUMNS[shape]} FROM threads t WHERE t.account_id = $1${othersHold(sql, parts)}
      ${NEWEST_FIRST} LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}`;
    return { text, values: sql.values };
  }
  const passes = `SELECT FROM threads t WHERE t.account_id = $1 AND t.id = w.${walk.id}${othersHold(sql, parts, along)}`;
  const text = `SELECT ${COLUMNS[shape]} FROM (
      SELECT w.${walk.date} AS at, w.${walk.id} AS id ${walk.rows}${bounds(sql, parts, walk)} AND ${exists(passes)}
      ORDER BY w.${walk.date} DESC, w.${walk.id} DESC
      LIMIT ${sql.value(page.limit)} OFFSET ${sql.value(page.offset)}
    ) page JOIN threads t ON t.account_id = $1 AND t.id = page.id ORDER BY page.at DESC, page.id DESC`;
  return { text, values: sql.values };
}

/** The number of threads that pass. */
export function threadCount(accountId: string, filter: ResolvedFilter, parts: readonly FilterPart[]): Query {
  if (isUnfiltered(filter)) {
    const text = `SELECT count(*)::int AS count FROM threads WHERE account_id = $1`;
    return { text, values: [accountId], name: 'thread-count' };
  }
  const sql = new Sql(accountId);
  const driver = parts.findIndex((part) => part.ids !== null);
  if (driver < 0) {
    const text = `SELECT count(*)::int AS count FROM threads t WHERE t.account_id = $1${othersHold(sql, parts)}`;
    return { text, values: sql.values };
  }
  const ids = idsOf(parts, driver)(sql);
  if (parts.length === 1) {
    return { text: `SELECT count(DISTINCT hit.id)::int AS count FROM (${ids}) hit(id)`, values: sql.values };
  }
  const text = `SELECT count(*)::int AS count FROM (SELECT DISTINCT id FROM (${ids}) hit(id)) hit
    JOIN threads t ON t.account_id = $1 AND t.id = hit.id WHERE true${othersHold(sql, parts, driver)}`;
  return { text, values: sql.values };
}

/** The filter's parts, the one that is likely to match least first. */
export function threadParts(filter: ResolvedFilter): FilterPart[] {
  const { threadId, subject, filename } = filter;
  return [
    ...(threadId === undefined ? [] : [threadIs(threadId)]),
    ...(subject === undefined ? [] : [subjectIs(subject)]),
    ...(filename === undefined ? [] : [hasFileNamed(filename)]),
    ...addressFilters(filter).map(hasParticipant),
    ...[filter.tag, filter.in].flatMap((entries) => (entries ? [isUnder(entries)] : [])),
    ...stateParts(filter),
    ...dateParts(filter),
  ];
}

const threadIs = (id: string): FilterPart => ({
  ids: (sql) => `SELECT ${sql.value(id)}::text`,
  holds: (sql) => `t.id = ${sql.value(id)}`,
});

const subjectIs = (subject: string): FilterPart => ({
  ids: (sql) => {
    const value = sql.value(subject);
    return `SELECT id FROM threads WHERE account_id = $1 AND left(subject, 100) = left(${value}, 100) AND subject = ${value}`;
  },
  holds: (sql) => `t.subject = ${sql.value(subject)}`,
});

const hasFileNamed = (filename: string): FilterPart => ({
  ids: (sql) => `SELECT m.thread_id FROM files f JOIN messages m ON m.account_id = $1 AND m.id = f.message_id
    WHERE f.account_id = $1 AND f.filename = ${sql.value(filename)}`,
  holds: (sql) =>
    exists(`SELECT FROM messages m JOIN files f ON f.account_id = $1 AND f.message_id = m.id
      WHERE m.account_id = $1 AND m.thread_id = t.id AND f.filename = ${sql.value(filename)}`),
});

const hasParticipant = ({ emails, fields }: AddressFilter): FilterPart => ({
  ids: (sql) => `SELECT thread_id FROM thread_participants
    WHERE account_id = $1 AND email = ANY(${sql.value(emails)}) AND fields & ${fields} <> 0`,
  holds: (sql) =>
    exists(`SELECT FROM thread_participants p WHERE p.account_id = $1 AND p.email = ANY(${sql.value(emails)})
      AND p.last_message_at = t.last_message_at AND p.thread_id = t.id AND p.fields & ${fields} <> 0`),
  ...(emails.length === 1 ? { walk: (sql: Sql) => alongPerson(sql.value(emails[0]), fields) } : {}),
});

const alongPerson = (email: string, fields: number): Walk => ({
  rows: `FROM thread_participants w WHERE w.account_id = $1 AND w.email = ${email} AND w.fields & ${fields} <> 0`,
  date: 'last_message_at',
  id: 'thread_id',
});

const isUnder = (entries: readonly string[]): FilterPart => ({
  ids: (sql) =>
    `SELECT thread_id FROM thread_categories WHERE account_id = $1 AND category = ANY(${sql.value(entries)})`,
  holds: (sql) => `t.categories && ${sql.value(entries)}::text[]`,
  // With several entries one thread would be met several times.
  ...(entries.length === 1 ? { walk: (sql: Sql) => alongCategory(sql.value(entries[0])) } : {}),
});

const alongCategory = (category: string): Walk => ({
  rows: `FROM thread_categories w WHERE w.account_id = $1 AND w.category = ${category}`,
  date: 'last_message_at',
  id: 'thread_id',
});

function stateParts({ unread, starred, hasAttachment }: ResolvedFilter): FilterPart[] {
  const states: [boolean | undefined, string][] = [
    [unread, 'unread'],
    [starred, 'starred'],
    [hasAttachment, 'attachment'],
  ];
  return states.flatMap(([wanted, state]) => {
    if (wanted === undefined) return [];
    return wanted ? [isUnder([state])] : [isNotUnder(state)];
  });
}

const isNotUnder = (state: string): FilterPart => ({
  ids: null,
  holds: (sql) => `NOT t.categories @> ARRAY[${sql.value(state)}]::text[]`,
});

function dateParts(filter: ResolvedFilter): FilterPart[] {
  return [
    ...dated(filter.startedBefore, (sql, date) => `t.first_message_at < ${sql.value(date)}`),
    ...dated(filter.startedAfter, (sql, date) => `t.first_message_at > ${sql.value(date)}`),
    ...lastMessage('<', filter.lastMessageBefore),
    ...lastMessage('>', filter.lastMessageAfter),
  ];
}

const dated = (date: Date | undefined, condition: (sql: Sql, date: Date) => string): FilterPart[] =>
  date ? [{ ids: null, holds: (sql) => condition(sql, date) }] : [];

const lastMessage = (comparison: '<' | '>', date: Date | undefined): FilterPart[] =>
  dated(date, (sql, value) => `t.last_message_at ${comparison} ${sql.value(value)}`).map((part) => ({
    ...part,
    bound: (sql, column) => `${column} ${comparison} ${sql.value(date)}`,
  }));
