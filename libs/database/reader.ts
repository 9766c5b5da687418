import type { Pool, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';

/**
 * Reads outside any transaction, straight on the driver's pool: a named statement is parsed and planned once a
 * connection, which TypeORM's own `query` cannot do.
 */
export class Reader {
  private readonly pool: Pool;

  constructor(dataSource: DataSource) {
    this.pool = (dataSource.driver as unknown as { master: Pool }).master;
  }

  /** @param name of the prepared statement; one name, one text. Leave it out for SQL put together from parts. */
  async rows<Row extends QueryResultRow>(text: string, values: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const result = await this.pool.query<Row>({ text, values: [...values], ...(name ? { name } : {}) });
    return result.rows;
  }
}
