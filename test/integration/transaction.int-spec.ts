import { type AddressInfo, createServer, type Server } from 'node:net';

import type { Pool } from 'pg';

import { createPool } from '#libs/database/pool.js';
import { inTransaction } from '#libs/database/transaction.js';

import { createDatabase } from '../support/servers.js';

describe('a transaction', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let pool: Pool;
  beforeEach(async () => {
    database = await createDatabase();
    pool = createPool({ url: database.url, poolSize: 1, applicationName: 'test' }, () => {});
    await pool.query('CREATE TABLE notes (text text PRIMARY KEY)');
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  const notes = async () => (await pool.query<{ text: string }>('SELECT text FROM notes')).rows.map(({ text }) => text);
  const pid = async () => (await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;

  it('keeps what was written, gives the result, and uses its connection again', async () => {
    const before = await pid();
    const made = await inTransaction(pool, async (client) => {
      await Promise.all([
        client.query(`INSERT INTO notes VALUES ('a')`),
        client.query(`INSERT INTO notes VALUES ('b')`),
      ]);
      return 7;
    });
    expect([made, await notes(), await pid()]).toEqual([7, ['a', 'b'], before]);
  });

  it('keeps nothing when its work throws', async () => {
    const before = await pid();
    const work = inTransaction(pool, async (client) => {
      await client.query(`INSERT INTO notes VALUES ('a')`);
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect([await notes(), await pid()]).toEqual([[], before]);
  });

  it('has its opening inside it', async () => {
    const work = inTransaction(
      pool,
      async (client) => {
        const { rows } = await client.query('SELECT text FROM notes');
        throw new Error(JSON.stringify(rows));
      },
      { opening: async (client) => void (await client.query(`INSERT INTO notes VALUES ('a')`)) },
    );
    await expect(work).rejects.toThrow('[{"text":"a"}]');
    expect(await notes()).toEqual([]);
  });

  it('does not begin its work when its opening throws', async () => {
    let begun = false;
    const work = inTransaction(pool, async () => (begun = true), {
      opening: async (client) => {
        await client.query(`INSERT INTO notes VALUES ('a')`);
        throw new Error('not mine');
      },
    });
    await expect(work).rejects.toThrow('not mine');
    expect([begun, await notes()]).toEqual([false, []]);
  });

  it('sends the statements of eager work behind its opening, and keeps nothing when that throws', async () => {
    const seen: string[] = [];
    const eager = (fault: Error | null) =>
      inTransaction(
        pool,
        async (client) => {
          seen.push('begun');
          const { rows } = await client.query<{ text: string }>('SELECT text FROM notes');
          await client.query(`INSERT INTO notes VALUES ('b')`);
          return rows;
        },
        {
          eager: true,
          opening: async (client) => {
            seen.push('opening');
            await client.query(`INSERT INTO notes VALUES ('a')`);
            seen.push('opened');
            if (fault) throw fault;
          },
        },
      );
    await expect(eager(new Error('not mine'))).rejects.toThrow('not mine');
    expect(await notes()).toEqual([]);
    expect([await eager(null), await notes()]).toEqual([[{ text: 'a' }], ['a', 'b']]);
    expect(seen).toEqual(['opening', 'begun', 'opened', 'opening', 'begun', 'opened']);
  });

  it('has its closing inside it', async () => {
    const close = (text: string) =>
      inTransaction(pool, async (client) => (await client.query(`INSERT INTO notes VALUES ('a')`)).rowCount, {
        closing: (count) => ({ text: 'INSERT INTO notes VALUES ($1 || $2)', values: [text, String(count)] }),
      });
    expect([await close('b'), await notes()]).toEqual([1, ['a', 'b1']]);
    await pool.query(`DELETE FROM notes WHERE text = 'a'`);
    await expect(close('b')).rejects.toMatchObject({ code: '23505' });
    expect(await notes()).toEqual(['b1']);
  });

  it('keeps nothing when its closing cannot be told', async () => {
    const work = inTransaction(pool, (client) => client.query(`INSERT INTO notes VALUES ('a')`), {
      closing: () => {
        throw new Error('not so');
      },
    });
    await expect(work).rejects.toThrow('not so');
    expect(await notes()).toEqual([]);
  });

  it('can be tried again after a statement failed with others behind it', async () => {
    const write = (text: string) =>
      inTransaction(pool, (client) =>
        Promise.all([
          client.query(`INSERT INTO notes VALUES ('a')`),
          client.query({ name: 'behind', text: 'INSERT INTO notes VALUES ($1)', values: [text] }),
        ]),
      );
    await expect(write('a')).rejects.toMatchObject({ code: '23505' });
    await write('b');
    expect(await notes()).toEqual(['a', 'b']);
  });

  it('fails when its work hides that a statement did', async () => {
    const work = inTransaction(pool, async (client) => {
      await client.query(`INSERT INTO notes VALUES ('a')`);
      await client.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('the transaction was rolled back');
    expect(await notes()).toEqual([]);
  });

  it('survives its connection being cut between two statements', async () => {
    const other = createPool({ url: database.url, poolSize: 1, applicationName: 'test' }, () => {});
    const work = inTransaction(pool, async (client) => {
      const ended = new Promise((resolve) => {
        client.once('end', resolve);
      });
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await other.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
      await ended;
      await client.query(`INSERT INTO notes VALUES ('a')`);
    });
    await expect(work).rejects.toThrow();
    expect(await notes()).toEqual([]);
    await other.end();
  });
});

/** A server that is stopped while it takes a connection on: its welcome and its farewell come in one packet. */
function farewellServer(): Promise<Server> {
  const message = (type: string, ...body: readonly Buffer[]) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(4 + body.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([Buffer.from(type), length, ...body]);
  };
  const isReady = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const ends = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'));
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(Buffer.concat([...isReady, ends])));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

it('fails, and the process goes on, when its connection ends as it is handed over', async () => {
  const server = await farewellServer();
  const { port } = server.address() as AddressInfo;
  const pool = createPool(
    { url: `postgres://a:b@127.0.0.1:${port}/c`, poolSize: 1, applicationName: 'test' },
    () => {},
  );
  await expect(inTransaction(pool, async () => 7)).rejects.toThrow();
  await pool.end();
  server.close();
});
