import { Client } from 'pg';

import type { ApiClient } from '../api-client.js';

import type { ApiObject } from './api-view.js';

const PAGE = 100;

/** Something that changed. */
export interface SourceChange {
  /** Where to go on after it. */
  readonly cursor: string;
  readonly type: string;
  readonly id: string;
  readonly event: 'create' | 'modify' | 'delete';
  /** As the source shows it; left out by those that only name it. */
  readonly object?: ApiObject;
}

/** Where a consumer learns what changed. */
export interface ChangeSource {
  /** Tells every change there was. One that folds changes may leave out an object that came and went. */
  readonly exact: boolean;
  /** What changed after a cursor, oldest first; nothing at the end. 0 is the beginning. */
  after(cursor: string): Promise<SourceChange[]>;
  close(): Promise<void>;
}

/** The log as the database has it. */
export class LogTable implements ChangeSource {
  readonly exact = true;
  private client: Client | null = null;

  constructor(
    private readonly url: string,
    private readonly accountId: string,
  ) {}

  async after(cursor: string): Promise<SourceChange[]> {
    try {
      this.client ??= await this.connect();
      const { rows } = await this.client.query<SourceChange>(
        `SELECT seq AS cursor, object_type AS type, object_id AS id, event FROM changes
         WHERE account_id = $1 AND seq > $2 AND object_type NOT IN ('notice', 'job') ORDER BY seq LIMIT $3`,
        [this.accountId, cursor, PAGE],
      );
      return rows;
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

/** `GET /delta`. */
export class DeltaFeed implements ChangeSource {
  readonly exact = false;

  constructor(private readonly api: ApiClient) {}

  async after(cursor: string): Promise<SourceChange[]> {
    const page = await this.api.ok<{ cursor_end: string; deltas: Delta[] }>(
      `/delta?cursor=${cursor}&limit=${PAGE}&view=expanded`,
    );
    return page.deltas.map(({ object, attributes, ...delta }) => ({ ...delta, type: object, object: attributes }));
  }

  async close(): Promise<void> {}
}

interface Delta {
  readonly cursor: string;
  readonly event: SourceChange['event'];
  readonly object: string;
  readonly id: string;
  readonly attributes?: ApiObject;
}
