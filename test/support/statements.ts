import type { Pool, PoolClient } from 'pg';

/** Notes the text of every statement that goes through a pool. */
export function statementsOf(pool: Pool): string[] {
  const texts: string[] = [];
  const known = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    const noting = (...given: unknown[]) => {
      const [first] = given as [string | { text: string }];
      texts.push(typeof first === 'string' ? first : first.text);
      return query(...given);
    };
    client.query = noting as typeof client.query;
  });
  return texts;
}
