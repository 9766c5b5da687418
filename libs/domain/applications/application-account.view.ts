import { z } from 'zod';

import { billingStates, type BillingState, type SyncState, syncStates } from '#libs/database/account.entity.js';

import type { AccessTokenRow } from '../accounts/access-tokens.js';
import { unixSeconds } from '../accounts/account.view.js';

/** Here, and only here, bad credentials have this name. */
const shownStates = [...syncStates, 'invalid-credentials'] as const;

export const ApplicationAccountView = z
  .object({
    id: z.string(),
    object: z.literal('account'),
    account_id: z.string(),
    namespace_id: z.string(),
    email: z.string(),
    name: z.string(),
    provider: z.string(),
    authentication_type: z.enum(['password', 'oauth']),
    billing_state: z.enum(billingStates),
    sync_state: z.enum(shownStates),
    sync_state_reason: z.string().nullable().describe('One sentence for people'),
    trial: z.literal(false),
    metadata: z.record(z.string(), z.unknown()),
    linked_at: z.int(),
    deleted_at: z.int().nullable().describe('Unix seconds; thirty days later it is gone for good'),
  })
  .meta({ id: 'ApplicationAccount' });
export type ApplicationAccountView = z.infer<typeof ApplicationAccountView>;

export interface ApplicationAccountRow {
  readonly id: string;
  readonly email_address: string;
  readonly name: string;
  readonly provider: string;
  readonly sync_state: SyncState;
  readonly sync_state_reason: string | null;
  readonly billing_state: BillingState;
  readonly metadata: Record<string, unknown>;
  readonly linked_at: Date;
  readonly deleted_at: Date | null;
}

export function toApplicationAccountView(row: ApplicationAccountRow): ApplicationAccountView {
  return {
    id: row.id,
    object: 'account',
    account_id: row.id,
    namespace_id: row.id,
    email: row.email_address,
    name: row.name,
    provider: row.provider,
    // No driver signs in by OAuth yet.
    authentication_type: 'password',
    billing_state: row.billing_state,
    sync_state: row.sync_state === 'invalid' ? 'invalid-credentials' : row.sync_state,
    sync_state_reason: row.sync_state_reason,
    trial: false,
    metadata: row.metadata,
    linked_at: unixSeconds(row.linked_at),
    deleted_at: row.deleted_at && unixSeconds(row.deleted_at),
  };
}

const state = z.enum(['valid', 'revoked']);

export const TokenView = z
  .object({
    id: z.string(),
    object: z.literal('token'),
    account_id: z.string(),
    state,
    scopes: z.array(z.string()).describe('Empty: everything'),
    created_at: z.int(),
    last_used_at: z.int().nullable().describe('To the minute'),
  })
  .meta({ id: 'Token' });
export type TokenView = z.infer<typeof TokenView>;

export const TokenInfoView = z
  .object({
    state,
    scopes: z.string().describe('Separated by commas'),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .meta({ id: 'TokenInfo' });
export type TokenInfoView = z.infer<typeof TokenInfoView>;

const stateOf = (row: AccessTokenRow) => (row.revokedAt ? 'revoked' : 'valid');

export function toTokenView(row: AccessTokenRow): TokenView {
  return {
    id: row.id,
    object: 'token',
    account_id: row.accountId,
    state: stateOf(row),
    scopes: [...row.scopes],
    created_at: unixSeconds(row.createdAt),
    last_used_at: row.usedAt && unixSeconds(row.usedAt),
  };
}

export function toTokenInfoView(row: AccessTokenRow): TokenInfoView {
  return {
    state: stateOf(row),
    scopes: row.scopes.join(','),
    created_at: unixSeconds(row.createdAt),
    updated_at: unixSeconds(row.revokedAt ?? row.usedAt ?? row.createdAt),
  };
}
