import { Redis } from 'ioredis';
import { Client } from 'pg';

import { createDatabase, createRedis } from '../support/servers.js';

describe('servers for tests', () => {
  it('gives each file a migrated database of its own', async () => {
    const one = await createDatabase();
    const other = await createDatabase();
    const client = new Client({ connectionString: one.url });
    await client.connect();
    const { rows } = await client.query<{ messages: string | null }>(
      `SELECT to_regclass('messages')::text AS messages`,
    );
    expect(rows).toEqual([{ messages: 'messages' }]);
    expect(one.url).not.toBe(other.url);
    await client.end();
    await one.drop();
    await other.drop();
    await expect(new Client({ connectionString: one.url }).connect()).rejects.toThrow(/does not exist/);
  });

  it('gives each file a Redis database of its own', async () => {
    const one = await createRedis();
    const other = await createRedis();
    const first = new Redis(one.url);
    const second = new Redis(other.url);
    await first.set('key', 'value');
    expect(await second.get('key')).toBeNull();
    expect(await first.get('key')).toBe('value');
    await one.drop();
    expect(await first.get('key')).toBeNull();
    first.disconnect();
    second.disconnect();
  });
});
