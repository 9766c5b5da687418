import { DatabaseError, type Pool, type PoolClient, type QueryConfig } from 'pg';

/** Statements that are sent together with those that begin and end a transaction. */
export interface Ends<T> {
  /** Sent with the BEGIN, without waiting for its answer. */
  readonly opening?: (client: PoolClient) => Promise<void>;
  /**
   * `work` does not wait for the answers to BEGIN and `opening`, which win when both fail. Its statements must do with one
   * plan for all values (ADR 0008): to plan them anew takes longer than to run them for one new message.
   */
  readonly eager?: boolean;
  /** The last statement of all, if there is one: the COMMIT does not wait for its answer. */
  readonly closing?: (result: T) => QueryConfig | null;
  /** Answers to statements of `work` that it did not wait for; nor does the COMMIT, which does nothing when one failed. */
  readonly unawaited?: (result: T) => readonly Promise<unknown>[];
}

const EAGER_BEGIN = 'BEGIN; SET LOCAL plan_cache_mode = force_generic_plan';

/**
 * Runs `work` in a transaction on a connection of its own. Rolled back when it throws. A connection that broke or on
 * which a statement failed is thrown away: what was sent behind the failed statement may not have been prepared.
 * @throws what `work` or the database throws; when COMMIT fails to answer, whether it was done is unknown
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  { opening, closing, unawaited, eager }: Ends<T> = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  // Without a listener a connection that breaks between two statements would end the process.
  client.on('error', onError);
  try {
    const opened = Promise.all([client.query(eager ? EAGER_BEGIN : 'BEGIN'), opening?.(client)]);
    const result = await (eager ? after(opened, work(client)) : opened.then(() => work(client)));
    const last = closing?.(result);
    const ended = Promise.all([last && client.query(last), client.query('COMMIT')]);
    // A statement that fails makes those after it fail: the first says why.
    await Promise.allSettled([ended]);
    await Promise.all(unawaited?.(result) ?? []);
    const [, { command }] = await ended;
    if (command !== 'COMMIT') throw new Error('a statement failed unnoticed: the transaction was rolled back');
    return result;
  } catch (error) {
    if (error instanceof DatabaseError) broken = error;
    await client.query('ROLLBACK').catch(onError);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Both are waited for even when one fails: what is still under way would be sent behind the ROLLBACK. */
async function after<T>(opened: Promise<unknown>, worked: Promise<T>): Promise<T> {
  await Promise.allSettled([opened, worked]);
  await opened;
  return worked;
}
