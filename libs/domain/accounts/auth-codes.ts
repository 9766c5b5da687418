import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { sha256 } from '#libs/common/hash.js';
import { newSecret } from '#libs/common/ids.js';

export interface RedeemedCode {
  readonly accountId: string;
  /** Of the token that it is swapped for. */
  readonly scopes: readonly string[];
}

/** One-time codes that an application swaps for an access token; good for ten minutes. */
@Injectable()
export class AuthCodes {
  constructor(private readonly dataSource: DataSource) {}

  async issue(applicationId: string, accountId: string, scopes: readonly string[] = []): Promise<string> {
    const code = newSecret();
    await this.dataSource.query(`DELETE FROM auth_codes WHERE expires_at < now() - interval '1 day'`);
    await this.dataSource.query(
      `INSERT INTO auth_codes (code_hash, application_id, account_id, scopes, expires_at)
       VALUES ($1, $2, $3, $4, now() + interval '10 minutes')`,
      [sha256(code), applicationId, accountId, scopes],
    );
    return code;
  }

  /** @returns what it stands for, to the first who asks in time and for the right application; null to everybody else */
  async redeem(applicationId: string, code: string): Promise<RedeemedCode | null> {
    const [rows]: [RedeemedCode[], number] = await this.dataSource.query(
      `UPDATE auth_codes SET used_at = now()
       WHERE code_hash = $1 AND application_id = $2 AND used_at IS NULL AND expires_at > now() 
       RETURNING account_id AS "accountId", scopes`,
      [sha256(code), applicationId],
    );
    return rows[0] ?? null;
  }
}
