/** SQL put together from parts, with its values. `$1` is always the account. */
export class Sql {
  readonly values: unknown[];

  constructor(accountId: string) {
    this.values = [accountId];
  }

  /** The placeholder of one more value. */
  value(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Rows that pass one filter, in an index that has them by date. */
export interface Walk {
  /** FROM and WHERE over the alias `w`. */
  readonly rows: string;
  /** Columns of `w`: its date and the id of what is listed. */
  readonly date: string;
  readonly id: string;
}

/** One filter in its forms. */
export interface FilterPart {
  /** SELECT of one column, the ids that pass; may repeat an id. Null where looking at each row is the only way. */
  readonly ids: ((sql: Sql) => string) | null;
  /** From how many ids on it pays to walk instead; MOST_CANDIDATES when absent. */
  readonly most?: number;
  /** Condition on a row that is being looked at. */
  readonly holds: (sql: Sql) => string;
  /** Those that pass, newest first, when there is an index for that. */
  readonly walk?: (sql: Sql) => Walk;
  /** For filters on the date that lists are sorted by: the same condition on a walk's date column. */
  readonly bound?: (sql: Sql, column: string) => string;
}

/** Up to this many ids are fetched and sorted; with more, rows are walked by date until the page is full. */
export const MOST_CANDIDATES = 3000;

/** How many ids of this part may be fetched; when it has more, some would be missing. */
export const mostOf = (part: FilterPart | undefined): number => part?.most ?? MOST_CANDIDATES;

/** The ids of one part as `hits`, and in `size` how many rows those are: at most one more than `mostOf`. */
export function candidates(sql: Sql, parts: readonly FilterPart[], index: number): string {
  return `hits AS MATERIALIZED (SELECT * FROM (${idsOf(parts, index)(sql)}) hit(id) LIMIT ${mostOf(parts[index]) + 1}),
    size AS (SELECT count(*)::int AS candidates FROM hits)`;
}

export function idsOf(parts: readonly FilterPart[], index: number): (sql: Sql) => string {
  const ids = parts[index]?.ids;
  if (!ids) throw new Error(`filter part ${index} cannot name what passes`);
  return ids;
}

/** ` AND …` for every part, or every part but one. */
export function othersHold(sql: Sql, parts: readonly FilterPart[], except = -1): string {
  return parts
    .filter((_, index) => index !== except)
    .map((part) => ` AND ${part.holds(sql)}`)
    .join('');
}

/** ` AND …` on a walk's date, so that it starts and ends where the date filters say. */
export function bounds(sql: Sql, parts: readonly FilterPart[], walk: Walk): string {
  return parts.map((part) => (part.bound ? ` AND ${part.bound(sql, `w.${walk.date}`)}` : '')).join('');
}

/**
 * `EXISTS`, asked row by row. OFFSET 0 keeps PostgreSQL from turning it into a join over everything, which does not pay
 * when the page is full after a few hundred rows.
 */
export const exists = (query: string): string => `EXISTS (${query} OFFSET 0)`;
