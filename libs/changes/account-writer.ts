import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient, type QueryConfig } from 'pg';

import { arrayLiteral } from '#libs/database/array-literal.js';
import { inTransaction } from '#libs/database/transaction.js';

import { spellNews } from './change-news.js';
import { ChangeSet, type RecordedChange } from './change-set.js';

/**
 * Notified inside the transaction, with the account's id and, when they are few, its changes (`ChangeNews`): heard when
 * that commits, never before.
 */
export const CHANGES_CHANNEL = 'account_changes';

/** Thrown when another worker has taken the account over: this one must stop, and nothing of it was written. */
export class Superseded extends Error {
  constructor(accountId: string) {
    super(`another session has taken over account ${accountId}`);
    this.name = 'Superseded';
  }
}

/** One write to one account. */
export class Tx {
  readonly changes = new ChangeSet();
  private readonly effects: (() => Promise<void> | void)[] = [];
  /** See `unawaited`. */
  readonly answers: Promise<unknown>[] = [];
  private isOver = false;

  constructor(
    readonly accountId: string,
    private readonly client: PoolClient,
  ) {}

  /**
   * Rows of a SELECT or of a RETURNING clause. Prepared once a connection: the statements of a batch take longer to
   * plan than to run, and plans made for the values of one batch go astray on tables without statistics yet. Hence
   * one text, whatever the values.
   * @throws DatabaseError of the driver
   */
  async query<Row = unknown>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    if (this.isOver) throw new Error('a statement came after its transaction: it is over');
    const result = await this.client.query(prepared(sql, parameters));
    return result.rows as Row[];
  }

  /** The answer to a statement that was sent and need not be waited for: when it failed, so does the transaction. */
  unawaited(answer: Promise<unknown>): void {
    answer.catch(() => undefined);
    this.answers.push(answer);
  }

  /** What the work goes on to ask, though it failed, is refused: it would be done outside of the transaction. */
  end(): void {
    this.isOver = true;
  }

  /** Runs after the commit, in order; not at all when the transaction fails. */
  afterCommit(effect: () => Promise<void> | void): void {
    this.effects.push(effect);
  }

  async runEffects(): Promise<void> {
    for (const effect of this.effects) await effect();
  }
}

/** A connection keeps what it prepared, so texts put together at run time must not grow without end. */
const MAX_PREPARED = 200;
const names = new Map<string, string>();

function nameOf(sql: string): string | null {
  const known = names.get(sql);
  if (known !== undefined) return known;
  if (names.size >= MAX_PREPARED) return null;
  const name = `write-${names.size}`;
  names.set(sql, name);
  return name;
}

function prepared(sql: string, parameters: readonly unknown[]): QueryConfig {
  const name = nameOf(sql);
  const values = parameters.map((value) => (Array.isArray(value) ? arrayLiteral(value) : value));
  return { text: sql, values, ...(name ? { name } : {}) };
}

export interface WriteOptions {
  /** The session's `accounts.sync_epoch`. A session that lost its account is refused with Superseded. */
  readonly epoch?: number;
  /**
   * Spares a round trip: the work's first statements are sent together with those that begin the transaction and take
   * the lock; and planning them more than once. Only for work that looks at nothing but through `tx`, with statements of
   * which ADR 0008 holds.
   */
  readonly eager?: boolean;
}

/** The one door through which rows that the API shows are written. */
@Injectable()
export class AccountWriter {
  constructor(private readonly pool: Pool) {}

  /**
   * Runs `work` in a transaction that holds the account's write lock, then appends what it recorded to the change log.
   * Writers of one account take turns: message identity and threading look before they insert, and must not race.
   */
  async write<T>(accountId: string, work: (tx: Tx) => Promise<T>, options: WriteOptions = {}): Promise<T> {
    const { result, tx } = await inTransaction(
      this.pool,
      async (client) => {
        const scope = new Tx(accountId, client);
        try {
          return { result: await work(scope), tx: scope };
        } catch (error) {
          // A statement that fails makes those after it fail: the first says why.
          await Promise.all(scope.answers);
          throw error;
        } finally {
          scope.end();
        }
      },
      {
        opening: (client) => this.lock(new Tx(accountId, client), options.epoch),
        unawaited: (done) => done.tx.answers,
        closing: (done) => appending(accountId, done.tx.changes.toArray()),
        eager: options.eager,
      },
    );
    await tx.runEffects();
    return result;
  }

  /** Two statements: the second must see what was committed while the first waited. */
  private async lock(tx: Tx, epoch: number | undefined): Promise<void> {
    const locked = tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [tx.accountId]);
    await Promise.all([locked, ...(epoch === undefined ? [] : [this.checkEpoch(tx, epoch)])]);
  }

  private async checkEpoch(tx: Tx, epoch: number): Promise<void> {
    const [account] = await tx.query<{ sync_epoch: number }>('SELECT sync_epoch FROM accounts WHERE id = $1', [
      tx.accountId,
    ]);
    if (account?.sync_epoch !== epoch) throw new Superseded(tx.accountId);
  }
}

/**
 * Numbers come from a counter on the account row, not from a sequence. The row lock makes writers of one account
 * commit in the order of their numbers, so a reader that has seen change N can never later be missing one below N.
 * Taken last to keep the lock short. The time is that of this statement, not of the transaction's begin: it must
 * grow with the numbers. PostgreSQL rings the bell when the transaction commits.
 */
function appending(accountId: string, changes: readonly RecordedChange[]): QueryConfig | null {
  if (changes.length === 0) return null;
  return prepared(
    `WITH counter AS (
       UPDATE accounts SET change_seq = change_seq + cardinality($2::text[]) WHERE id = $1
       RETURNING change_seq - cardinality($2::text[]) AS base
     ), logged AS (
       INSERT INTO changes (account_id, seq, object_type, object_id, event, created_at)
       SELECT $1, counter.base + entry.ordinal, entry.object_type, entry.object_id, entry.event, clock_timestamp()
       FROM counter, unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY
         AS entry(object_type, object_id, event, ordinal)
     )
     SELECT pg_notify('${CHANGES_CHANNEL}', $1::text || coalesce(' ' || base || $5::text, '')) FROM counter`,
    [
      accountId,
      changes.map((change) => change.objectType),
      changes.map((change) => change.objectId),
      changes.map((change) => change.event),
      spellNews(changes),
    ],
  );
}
