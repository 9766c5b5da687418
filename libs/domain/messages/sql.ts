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

/** One filter in its two forms. */
export interface FilterPart {
  /** SELECT of one column, the ids that pass; may repeat an id. Null where walking is the only way. */
  readonly ids: ((sql: Sql) => string) | null;
  /** Condition on a row that is being looked at. */
  readonly holds: (sql: Sql) => string;
}
