import { Column, Entity, Index } from 'typeorm';

import { BytewiseColumn, KeyColumn, TimeColumn } from './columns.js';

/**
 * What a person should know about an account's sync. `partial`: mail is readable, old mail is still being read.
 * `invalid`: the provider refuses our credentials. `sync_error`: something else keeps failing; we keep trying.
 */
export const syncStates = ['initializing', 'partial', 'running', 'invalid', 'stopped', 'sync_error'] as const;
export type SyncState = (typeof syncStates)[number];

/** `cancelled`: downgraded, so sync is off and what was read stays readable. */
export const billingStates = ['paid', 'cancelled', 'deleted'] as const;
export type BillingState = (typeof billingStates)[number];

/** One connected mailbox. API v1 calls an account's data its namespace; the id is the same. */
@Entity('accounts')
@Index('accounts_by_application', ['applicationId', 'id'])
@Index('accounts_by_email', ['applicationId', 'emailKey'], { unique: true })
@Index('accounts_deleted', ['deletedAt'], { where: 'deleted_at IS NOT NULL' })
export class Account {
  @KeyColumn('accounts_pkey') id: string;
  @BytewiseColumn() applicationId: string;
  @Column('text') emailAddress: string;
  /** `canonicalEmail(emailAddress)`: one account a mailbox and application. */
  @BytewiseColumn() emailKey: string;
  @Column('text') name: string;
  /** Spelled as on the wire: `imap`, `gmail`, `yahoo`, `icloud`, `outlook`, … */
  @Column('text') provider: string;
  /** Which drivers serve it; the registry's key. */
  @Column('text') kind: string;
  /** MailSettings (libs/providers/contracts/connection-settings.ts) as JSON. No secrets. */
  @Column('jsonb') settings: unknown;
  @Column('text') organizationUnit: 'folder' | 'label';

  @Column('text') syncState: SyncState;
  /** One sentence for people about the state, when it is not a good one. */
  @Column('text', { nullable: true }) syncStateReason: string | null;
  /** What the owner wants: false after `stop`. */
  @Column('boolean', { default: true }) syncEnabled: boolean;
  /** Raised by whoever takes the account over; a write of an older holder is refused (the fence). */
  @Column('integer', { default: 0 }) syncEpoch: number;
  /** Failed sessions in a row; decides the back-off. */
  @Column('integer', { default: 0 }) syncFailures: number;
  /** No session is started before this time. */
  @TimeColumn({ nullable: true }) syncRetryAt: Date | null;
  /** Last sign of life of the session that holds the account. */
  @TimeColumn({ nullable: true }) syncSeenAt: Date | null;
  /** Number of the newest entry of this account's change log. */
  @Column('bigint', { default: 0 }) changeSeq: string;

  /** Seals its copies of drafts at the provider (libs/mime/draft-print.ts). Never shown, never changed. */
  @Column('uuid', { default: () => 'gen_random_uuid()' }) draftKey: string;
  @TimeColumn({ default: () => 'now()' }) draftKeyAt: Date;

  @Column('text', { default: 'paid' }) billingState: BillingState;
  /** Whatever the application keeps with it. */
  @Column('jsonb', { default: {} }) metadata: unknown;
  /** Since when nobody sees it; a month later it is removed for good. */
  @TimeColumn({ nullable: true }) deletedAt: Date | null;

  @TimeColumn({ default: () => 'now()' }) linkedAt: Date;
  @TimeColumn({ default: () => 'now()' }) updatedAt: Date;
}

/** The provider authorisation inside an account, sealed. One row an account. */
@Entity('grants')
export class Grant {
  @KeyColumn('grants_pkey') accountId: string;
  /** GrantSecret as JSON, sealed with the key ring (libs/common/secret-box.ts). */
  @Column('text') sealed: string;
  @TimeColumn({ default: () => 'now()' }) updatedAt: Date;
}

/** Our API tokens; only the hash is kept. */
@Entity('access_tokens')
@Index('access_tokens_by_hash', ['tokenHash'], { unique: true })
@Index('access_tokens_by_account', ['accountId'])
export class AccessToken {
  @KeyColumn('access_tokens_pkey') id: string;
  @BytewiseColumn() accountId: string;
  @BytewiseColumn() applicationId: string;
  /** Hex sha-256 of the token. */
  @Column('text') tokenHash: string;
  /** What it may be used for; empty: everything. */
  @Column('text', { array: true, default: '{}' }) scopes: string[];
  @TimeColumn({ default: () => 'now()' }) createdAt: Date;
  /** To the minute. */
  @TimeColumn({ nullable: true }) usedAt: Date | null;
  @TimeColumn({ nullable: true }) revokedAt: Date | null;
}

/** One-time codes of native and hosted authentication, hashed, good for ten minutes. */
@Entity('auth_codes')
export class AuthCode {
  @KeyColumn('auth_codes_pkey') codeHash: string;
  @BytewiseColumn() applicationId: string;
  @BytewiseColumn() accountId: string;
  /** Of the token that it is swapped for. */
  @Column('text', { array: true, default: '{}' }) scopes: string[];
  @TimeColumn() expiresAt: Date;
  @TimeColumn({ nullable: true }) usedAt: Date | null;
}

/** What the account's log shows: state transitions, repairs, what went wrong with which folder or message. */
@Entity('account_events')
export class AccountEvent {
  @KeyColumn('account_events_pkey') accountId: string;
  @KeyColumn('account_events_pkey') id: string;
  @TimeColumn({ default: () => 'now()' }) at: Date;
  @Column('text') level: 'info' | 'warn' | 'error';
  /** `noun.verb`, e.g. `folder.reset`, `message.limited`, `server.dropped`. */
  @Column('text') kind: string;
  /** One sentence for people. No subjects, addresses, bodies or credentials. */
  @Column('text') message: string;
  @Column('jsonb', { nullable: true }) details: unknown;
}
