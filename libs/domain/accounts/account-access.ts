import { Inject, Injectable } from '@nestjs/common';

import type { DomainError } from '#libs/common/errors.js';
import { sha256 } from '#libs/common/hash.js';
import { isPublicId } from '#libs/common/ids.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { Reader } from '#libs/database/reader.js';

import type { AccountRef } from './account-ref.js';
import { type Writability, writeRefusal } from './write-refusal.js';

/** A revoked token is refused after this long at the latest. */
const KNOWN_FOR_MS = 2000;
const MOST_KNOWN = 10_000;

/** The account, and what the credential may be used for; no scopes: everything. */
export interface SignedIn extends AccountRef {
  /** Which connected it. */
  readonly applicationId: string;
  readonly scopes: readonly string[];
}

interface Known {
  readonly account: SignedIn;
  readonly until: number;
}

/** Of the time a token was used last; to note each use would be a write for every request. */
const USE_NOTED_SECONDS = 60;

/** Whose data a credential opens. Answers are remembered for a moment, so a busy client costs no query a request. */
@Injectable()
export class AccountAccess {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly reader: Reader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @param credential an access token; with DEV_ACCOUNT_ID_AUTH also an account id. */
  async accountOf(credential: string): Promise<SignedIn | null> {
    const hash = sha256(credential);
    const known = this.known.get(hash);
    if (known && known.until > Date.now()) return known.account;
    this.known.delete(hash);
    const account = (await this.byTokenHash(hash)) ?? (await this.byAccountId(credential));
    if (account) this.remember(hash, account);
    return account;
  }

  /** Why nothing can be written to the account now; null when it can. Asked anew each time. */
  async refusalToWrite({ id }: AccountRef): Promise<DomainError | null> {
    const [account] = await this.reader.rows<Writability>(
      'SELECT sync_state AS state, sync_enabled AS enabled FROM accounts WHERE id = $1',
      [id],
      'account-writability',
    );
    return account ? writeRefusal(account) : null;
  }

  private async byTokenHash(hash: string): Promise<SignedIn | null> {
    const [row] = await this.reader.rows<SignedIn & { stale: boolean }>(
      `SELECT a.id, a.application_id AS "applicationId", a.organization_unit AS "organizationUnit", t.scopes,
         t.used_at IS NULL OR t.used_at < now() - make_interval(secs => $2) AS stale
       FROM access_tokens t JOIN accounts a ON a.id = t.account_id
       WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND a.deleted_at IS NULL`,
      [hash, USE_NOTED_SECONDS],
      'account-by-token',
    );
    if (!row) return null;
    const { stale, ...account } = row;
    if (stale) await this.reader.rows('UPDATE access_tokens SET used_at = now() WHERE token_hash = $1', [hash]);
    return account;
  }

  private async byAccountId(id: string): Promise<SignedIn | null> {
    if (!this.config.DEV_ACCOUNT_ID_AUTH || !isPublicId(id)) return null;
    const [account] = await this.reader.rows<SignedIn>(
      `SELECT id, application_id AS "applicationId", organization_unit AS "organizationUnit",
         '{}'::text[] AS scopes
       FROM accounts
       WHERE id = $1 AND deleted_at IS NULL`,
      [id],
      'account-by-id',
    );
    return account ?? null;
  }

  private remember(hash: string, account: SignedIn): void {
    // A Map keeps insertion order: the first key is the oldest.
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value ?? hash);
    this.known.set(hash, { account, until: Date.now() + KNOWN_FOR_MS });
  }
}
