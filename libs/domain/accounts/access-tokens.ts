import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { sha256 } from '#libs/common/hash.js';
import { newId, newSecret } from '#libs/common/ids.js';

/** Our API tokens. They do not expire; only their hashes are kept. */
@Injectable()
export class AccessTokens {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns the token: 25 base-36 digits, shown this once */
  async issue(accountId: string, applicationId: string): Promise<string> {
    const token = newSecret();
    await this.dataSource.query(
      'INSERT INTO access_tokens (id, account_id, application_id, token_hash) VALUES ($1, $2, $3, $4)',
      [newId(), accountId, applicationId, sha256(token)],
    );
    return token;
  }

  /** @returns whether there was a living token to revoke */
  async revoke(token: string): Promise<boolean> {
    const [rows]: [unknown[], number] = await this.dataSource.query(
      'UPDATE access_tokens SET revoked_at = now() WHERE token_hash = $1 AND revoked_at IS NULL RETURNING id',
      [sha256(token)],
    );
    return rows.length > 0;
  }

  /** @param keep a token to leave alive */
  async revokeAll(accountId: string, keep: string | null = null): Promise<void> {
    await this.dataSource.query(
      `UPDATE access_tokens SET revoked_at = now()
       WHERE account_id = $1 AND revoked_at IS NULL AND token_hash IS DISTINCT FROM $2`,
      [accountId, keep === null ? null : sha256(keep)],
    );
  }
}
