import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { SecretBox } from '#libs/common/secret-box.js';

const PORTION = 500;

/** Where sealed texts lie: the column that holds one, and the one that holds what it is bound to. */
const PLACES = [
  { table: 'grants', key: 'account_id', column: 'sealed' },
  { table: 'applications', key: 'id', column: 'sealed_secret' },
  { table: 'applications', key: 'id', column: 'former_sealed_secret' },
  { table: 'applications', key: 'id', column: `oauth_clients #>> '{google,sealed}'`, path: ['google', 'sealed'] },
  { table: 'applications', key: 'id', column: `oauth_clients #>> '{microsoft,sealed}'`, path: ['microsoft', 'sealed'] },
] as const;

type Place = (typeof PLACES)[number];

interface Sealed {
  readonly key: string;
  readonly text: string;
}

/** Everything that is sealed with the key ring. */
@Injectable()
export class Sealing {
  constructor(
    private readonly dataSource: DataSource,
    private readonly box: SecretBox,
  ) {}

  /**
   * Seals again, with the first key, what another one sealed. A secret that is replaced meanwhile stays as it was put.
   * @throws SealError when one cannot be opened: the keys that are needed still must be in the ring
   */
  async renew(): Promise<{ renewed: number; kept: number }> {
    let [renewed, kept] = [0, 0];
    for (const place of PLACES) {
      for (let last = ''; ;) {
        const rows = await this.portion(place, last);
        for (const row of rows) {
          if (this.box.isCurrent(row.text)) kept += 1;
          else if (await this.replace(place, row)) renewed += 1;
        }
        if (rows.length < PORTION) break;
        last = rows.at(-1)!.key;
      }
    }
    return { renewed, kept };
  }

  private async portion({ table, key, column }: Place, after: string): Promise<Sealed[]> {
    return this.dataSource.query<Sealed[]>(
      `SELECT ${key} AS key, ${column} AS text FROM ${table} WHERE ${key} > $1 AND ${column} IS NOT NULL
       ORDER BY ${key} LIMIT ${PORTION}`,
      [after],
    );
  }

  private async replace(place: Place, { key, text }: Sealed): Promise<boolean> {
    const fresh = this.box.seal(this.box.open(text, key), key);
    const set =
      'path' in place
        ? `oauth_clients = jsonb_set(oauth_clients, '{${place.path.join(',')}}', to_jsonb($3::text))`
        : `${place.column} = $3`;
    const [rows]: [unknown[], number] = await this.dataSource.query(
      `UPDATE ${place.table} SET ${set} WHERE ${place.key} = $1 AND ${place.column} = $2 RETURNING 1`,
      [key, text, fresh],
    );
    return rows.length > 0;
  }
}
