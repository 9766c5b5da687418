import { z } from 'zod';

import { syncStates } from '#libs/database/account.entity.js';

export const AccountView = z
  .object({
    id: z.string(),
    object: z.literal('account'),
    account_id: z.string(),
    namespace_id: z.string(),
    email_address: z.string(),
    name: z.string(),
    provider: z.string(),
    organization_unit: z.enum(['folder', 'label']),
    sync_state: z.enum(syncStates),
    linked_at: z.int().describe('Unix seconds'),
  })
  .meta({ id: 'Account' });
export type AccountView = z.infer<typeof AccountView>;

/** With view=expanded, all accounts but those of Gmail, whose servers are known. */
export const ExpandedAccountView = AccountView.extend({
  server_settings: z.object({
    imap_host: z.string(),
    imap_port: z.int(),
    smtp_host: z.string().nullable(),
    smtp_port: z.int().nullable(),
  }),
}).meta({ id: 'ExpandedAccount' });
export type ExpandedAccountView = z.infer<typeof ExpandedAccountView>;

export const NamespaceView = z
  .object({
    id: z.string(),
    object: z.literal('namespace'),
    namespace_id: z.string(),
    account_id: z.string(),
    email_address: z.string(),
    name: z.string(),
    provider: z.string(),
  })
  .meta({ id: 'Namespace' });
export type NamespaceView = z.infer<typeof NamespaceView>;

export const StatusView = z
  .object({
    object: z.literal('status'),
    account_id: z.string(),
    namespace_id: z.string(),
    sync_state: z.enum(syncStates),
    sync_state_reason: z.string().nullable().describe('One sentence for people'),
    sync_enabled: z.boolean(),
    last_seen_at: z.int().nullable().describe('Unix seconds of the last sign of life of the sync'),
    drift_checked_at: z
      .int()
      .nullable()
      .describe('Every folder has been compared with the server since; null until each was once'),
    drift_repaired: z.int().describe('Differences that such comparisons found and repaired'),
    folders: z.array(
      z.object({
        id: z.string(),
        name: z.string().nullable(),
        display_name: z.string(),
        total: z.int().describe('Messages on the server when last seen'),
        synced: z.int().describe('Messages of it that can be read here'),
        state: z.enum(['waiting', 'backfill', 'running', 'failing']),
        last_error: z.string().nullable(),
        last_pass_at: z.int().nullable(),
        drift_checked_at: z.int().nullable(),
        drift_repaired: z.int(),
      }),
    ),
    events: z
      .array(
        z.object({
          id: z.string(),
          at: z.int(),
          level: z.enum(['info', 'warn', 'error']),
          kind: z.string(),
          message: z.string(),
          details: z.unknown(),
        }),
      )
      .describe('Newest first'),
  })
  .meta({ id: 'Status' });
export type StatusView = z.infer<typeof StatusView>;

/** The columns an account is shown from. */
export interface AccountColumns {
  readonly id: string;
  readonly email_address: string;
  readonly name: string;
  readonly provider: string;
  readonly organization_unit: 'folder' | 'label';
  readonly sync_state: AccountView['sync_state'];
  readonly linked_at: Date;
}

/** What is read of MailSettings (libs/providers/contracts/connection-settings.ts). */
export interface StoredServers {
  readonly imap: { readonly host: string; readonly port: number };
  readonly smtp: { readonly host: string; readonly port: number } | null;
}

export const unixSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);

export function toAccountView(row: AccountColumns): AccountView {
  return {
    id: row.id,
    object: 'account',
    account_id: row.id,
    namespace_id: row.id,
    email_address: row.email_address,
    name: row.name,
    provider: row.provider,
    organization_unit: row.organization_unit,
    sync_state: row.sync_state,
    linked_at: unixSeconds(row.linked_at),
  };
}

/** The account with the servers it is read from and sent by. */
export function toExpandedAccountView(
  row: AccountColumns,
  { imap, smtp }: StoredServers,
): AccountView | ExpandedAccountView {
  if (row.provider === 'gmail') return toAccountView(row);
  const servers = {
    imap_host: imap.host,
    imap_port: imap.port,
    smtp_host: smtp?.host ?? null,
    smtp_port: smtp?.port ?? null,
  };
  return { ...toAccountView(row), server_settings: servers };
}

export function toNamespaceView(row: AccountColumns): NamespaceView {
  return {
    id: row.id,
    object: 'namespace',
    namespace_id: row.id,
    account_id: row.id,
    email_address: row.email_address,
    name: row.name,
    provider: row.provider,
  };
}
