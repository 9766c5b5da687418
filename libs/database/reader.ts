import type { Pool, QueryResultRow } from 'pg';

/**
 * Reads outside any transaction, and single statements on rows of which the change log does not tell, straight on the
 * driver's pool: a named statement is parsed and planned once a connection, which TypeORM's own `query` cannot do.
 */
export class Reader {
  constructor(private readonly pool: Pool) {}

  /** @param name of the prepared statement; one name, one text. Leave it out for SQL put together from parts. */
  async rows<Row extends QueryResultRow>(text: string, values: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const result = await this.pool.query<Row>({ text, values: [...values], ...(name ? { name } : {}) });
    return result.rows;
  }
}
