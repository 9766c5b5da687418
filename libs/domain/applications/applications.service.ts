import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { sameHash, sha256 } from '#libs/common/hash.js';
import { newId } from '#libs/common/ids.js';
import { Reader } from '#libs/database/reader.js';

export interface ApplicationRef {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
}

interface ApplicationRow {
  readonly id: string;
  readonly client_id: string;
  readonly client_secret_hash: string;
  readonly name: string;
}

const NO_HASH = sha256('');

/** The clients of our API. */
@Injectable()
export class ApplicationsService {
  constructor(
    private readonly reader: Reader,
    private readonly dataSource: DataSource,
  ) {}

  async byClientId(clientId: string): Promise<ApplicationRef | null> {
    const row = await this.row(clientId);
    return row ? refOf(row) : null;
  }

  /** Null for an unknown client as for a wrong secret; both take the same time. */
  async verify(clientId: string, clientSecret: string): Promise<ApplicationRef | null> {
    const row = await this.row(clientId);
    const matches = sameHash(sha256(clientSecret), row?.client_secret_hash ?? NO_HASH);
    return row && matches ? refOf(row) : null;
  }

  /** Creates the application, or gives the one with this client id this name and secret. */
  async upsert(clientId: string, clientSecret: string, name: string): Promise<ApplicationRef> {
    const rows = await this.dataSource.query<ApplicationRow[]>(
      `INSERT INTO applications (id, client_id, client_secret_hash, name) VALUES ($1, $2, $3, $4)
       ON CONFLICT (client_id) DO UPDATE SET client_secret_hash = excluded.client_secret_hash, name = excluded.name
       RETURNING id, client_id, client_secret_hash, name`,
      [newId(), clientId, sha256(clientSecret), name],
    );
    return refOf(rows[0]!);
  }

  /** The oldest application: where the command line connects accounts. Null before the first set-up. */
  async first(): Promise<ApplicationRef | null> {
    const [row] = await this.reader.rows<ApplicationRow>('SELECT * FROM applications ORDER BY id LIMIT 1');
    return row ? refOf(row) : null;
  }

  private async row(clientId: string): Promise<ApplicationRow | null> {
    const [row] = await this.reader.rows<ApplicationRow>(
      'SELECT id, client_id, client_secret_hash, name FROM applications WHERE client_id = $1',
      [clientId],
      'application-by-client-id',
    );
    return row ?? null;
  }
}

function refOf(row: ApplicationRow): ApplicationRef {
  return { id: row.id, clientId: row.client_id, name: row.name };
}
