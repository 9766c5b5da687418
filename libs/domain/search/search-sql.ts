import type { Page } from '../messages/mail-filter.js';
import type { Query } from '../messages/message-query.js';
import { Sql } from '../messages/sql.js';

import type { SearchQuery } from './search-query.js';

/** Of what is found the newest so many are ranked; what is older follows by date. */
export const RANKED = 500;

/** What a hit weighs by where it stands: body; recipients and file names; sender; subject. */
const WEIGHTS = `'{0.1, 0.3, 0.6, 1.0}'`;

/** Of two that are equal in words, one of today counts twice as much as a very old one. */
const FRESHNESS = `(1 + 1 / (1 + greatest(0, extract(epoch FROM now() - received_at)) / 31557600))`;

export function foundMessages(accountId: string, query: SearchQuery, page: Page): Query {
  const sql = new Sql(accountId);
  const most = Math.max(RANKED, page.offset + page.limit);
  const text = `WITH ${found(sql, query, 'NOT m.draft', most)}
    SELECT id FROM scored ORDER BY score DESC NULLS LAST, received_at DESC, id DESC ${pageOf(sql, page)}`;
  return { text, values: sql.values };
}

/** A thread of a page, and of how many messages the page was made. */
export interface FoundThread {
  readonly messages: number;
  /** Null when there is none. */
  readonly id: string | null;
}

/** @param most messages to look at */
export function foundThreads(accountId: string, query: SearchQuery, page: Page, most: number): Query {
  const sql = new Sql(accountId);
  const text = `WITH ${found(sql, query, 'true', most)}
    SELECT size.messages, page.id FROM (SELECT count(*)::int AS messages FROM scored) size
    LEFT JOIN (
      SELECT thread_id AS id, row_number() OVER (ORDER BY max(score) DESC NULLS LAST, max(received_at) DESC, thread_id) AS n
      FROM scored GROUP BY thread_id ORDER BY n ${pageOf(sql, page)}
    ) page ON true ORDER BY page.n`;
  return { text, values: sql.values };
}

const pageOf = (sql: Sql, { limit, offset }: Page): string => `LIMIT ${sql.value(limit)} OFFSET ${sql.value(offset)}`;

/**
 * `scored`: the newest messages, at most `most`, that have what is searched for. Rows of `hits` are narrow: there may be
 * a hundred thousand. Each of `passing` costs its words, so these are looked up one by one, in the order of hits, until
 * there are enough; by their place in the table, which nothing changes within a statement. A message that is other than when it was indexed is left out until it is indexed again.
 */
function found(sql: Sql, query: SearchQuery, kind: string, most: number): string {
  const exact = query.exact === query.rough ? '' : ` AND words @@ ${sql.value(query.exact)}::tsquery`;
  return `hits AS MATERIALIZED (
      SELECT place FROM search_hits($1, ${sql.value(query.rough)}::tsquery) ORDER BY received_at DESC, place DESC
    ), passing AS MATERIALIZED (
      SELECT m.id, m.thread_id, m.received_at, d.words FROM hits
      CROSS JOIN LATERAL (
        SELECT message_id, draft, version, words FROM search_documents WHERE ctid = hits.place${exact} OFFSET 0
      ) d
      CROSS JOIN LATERAL (
        SELECT id, thread_id, received_at FROM messages m
        WHERE account_id = $1 AND id = d.message_id AND draft = d.draft AND version = d.version AND ${kind} OFFSET 0
      ) m
      LIMIT ${sql.value(most)}
    ), scored AS MATERIALIZED (
      SELECT id, thread_id, received_at,
        CASE WHEN row_number() OVER () <= ${RANKED}
          THEN ts_rank(${WEIGHTS}, words, ${sql.value(query.ranking)}::tsquery, 1) * ${FRESHNESS} END AS score
      FROM passing
    )`;
}
