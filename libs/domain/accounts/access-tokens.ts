import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { sha256 } from '#libs/common/hash.js';
import { newId, newSecret } from '#libs/common/ids.js';

/** A token without the token. */
export interface AccessTokenRow {
  readonly id: string;
  readonly accountId: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly usedAt: Date | null;
  readonly revokedAt: Date | null;
}

const COLUMNS = `id, account_id AS "accountId", scopes, created_at AS "createdAt", used_at AS "usedAt",
  revoked_at AS "revokedAt"`;

/** Our API tokens. They do not expire; only their hashes are kept. */
@Injectable()
export class AccessTokens {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * @param scopes what it may be used for; none means everything
   * @returns the token: 25 base-36 digits, shown this once
   */
  async issue(accountId: string, applicationId: string, scopes: readonly string[] = []): Promise<string> {
    const token = newSecret();
    await this.dataSource.query(
      'INSERT INTO access_tokens (id, account_id, application_id, token_hash, scopes) VALUES ($1, $2, $3, $4, $5)',
      [newId(), accountId, applicationId, sha256(token), scopes],
    );
    return token;
  }

  /** Newest first, revoked ones too. */
  async list(accountId: string): Promise<AccessTokenRow[]> {
    return this.dataSource.query<AccessTokenRow[]>(
      `SELECT ${COLUMNS} FROM access_tokens WHERE account_id = $1 ORDER BY id DESC`,
      [accountId],
    );
  }

  /** Null for one that the account never had. */
  async find(accountId: string, token: string): Promise<AccessTokenRow | null> {
    const [row] = await this.dataSource.query<AccessTokenRow[]>(
      `SELECT ${COLUMNS} FROM access_tokens WHERE account_id = $1 AND token_hash = $2`,
      [accountId, sha256(token)],
    );
    return row ?? null;
  }

  /** @returns whether there was a living token to revoke */
  async revoke(token: string): Promise<boolean> {
    return this.end('token_hash = $1 AND revoked_at IS NULL', [sha256(token)]);
  }

  /** @returns whether the account has such a token; one that is revoked stays so */
  async revokeById(accountId: string, id: string): Promise<boolean> {
    return this.end('account_id = $1 AND id = $2', [accountId, id]);
  }

  /** @param keep a token to leave alive */
  async revokeAll(accountId: string, keep: string | null = null): Promise<void> {
    await this.end('account_id = $1 AND token_hash IS DISTINCT FROM $2 AND revoked_at IS NULL', [
      accountId,
      keep === null ? null : sha256(keep),
    ]);
  }

  private async end(which: string, values: readonly unknown[]): Promise<boolean> {
    const [rows]: [unknown[], number] = await this.dataSource.query(
      `UPDATE access_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE ${which} RETURNING id`,
      [...values],
    );
    return rows.length > 0;
  }
}
