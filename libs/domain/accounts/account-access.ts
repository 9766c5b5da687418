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

interface Known {
  readonly account: AccountRef;
  readonly until: number;
}

interface AccountRow {
  readonly id: string;
  readonly organization_unit: AccountRef['organizationUnit'];
}

/** Whose data a credential opens. Answers are remembered for a moment, so a busy client costs no query a request. */
@Injectable()
export class AccountAccess {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly reader: Reader,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @param credential an access token; with DEV_ACCOUNT_ID_AUTH also an account id. */
  async accountOf(credential: string): Promise<AccountRef | null> {
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

  private async byTokenHash(hash: string): Promise<AccountRef | null> {
    const rows = await this.reader.rows<AccountRow>(
      `SELECT a.id, a.organization_unit FROM access_tokens t JOIN accounts a ON a.id = t.account_id
       WHERE t.token_hash = $1 AND t.revoked_at IS NULL`,
      [hash],
      'account-by-token',
    );
    return refOf(rows);
  }

  private async byAccountId(id: string): Promise<AccountRef | null> {
    if (!this.config.DEV_ACCOUNT_ID_AUTH || !isPublicId(id)) return null;
    const rows = await this.reader.rows<AccountRow>(
      `SELECT id, organization_unit FROM accounts WHERE id = $1`,
      [id],
      'account-by-id',
    );
    return refOf(rows);
  }

  private remember(hash: string, account: AccountRef): void {
    // A Map keeps insertion order: the first key is the oldest.
    if (this.known.size >= MOST_KNOWN) this.known.delete(this.known.keys().next().value ?? hash);
    this.known.set(hash, { account, until: Date.now() + KNOWN_FOR_MS });
  }
}

function refOf(rows: readonly AccountRow[]): AccountRef | null {
  const [row] = rows;
  return row ? { id: row.id, organizationUnit: row.organization_unit } : null;
}
