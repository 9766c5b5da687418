import { Client } from 'pg';

/** One entry of an account's change log. */
export interface LoggedChange {
  readonly position: number;
  readonly type: string;
  readonly id: string;
  readonly event: 'create' | 'modify' | 'delete';
}

/** Where a consumer learns what changed. */
export interface ChangeSource {
  /** The entries after `position`, oldest first, at most so many. 0 is the beginning. */
  after(position: number, limit: number): Promise<LoggedChange[]>;
  close(): Promise<void>;
}

/** The log as the database has it. */
export class LogTable implements ChangeSource {
  private client: Client | null = null;

  constructor(
    private readonly url: string,
    private readonly accountId: string,
  ) {}

  async after(position: number, limit: number): Promise<LoggedChange[]> {
    try {
      this.client ??= await this.connect();
      const { rows } = await this.client.query<Omit<LoggedChange, 'position'> & { position: string }>(
        `SELECT seq AS position, object_type AS type, object_id AS id, event FROM changes
         WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
        [this.accountId, position, limit],
      );
      return rows.map((row) => ({ ...row, position: Number(row.position) }));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.url });
    client.on('error', () => (this.client = null));
    await client.connect();
    return client;
  }
}
