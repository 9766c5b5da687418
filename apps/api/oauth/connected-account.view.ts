import { z } from 'zod';

import { AccountView, unixSeconds } from '#libs/domain/accounts/account.view.js';
import type { AccountSummary } from '#libs/domain/accounts/accounts.service.js';

export const CodeView = z
  .object({ code: z.string().describe('Good for one use within ten minutes') })
  .meta({ id: 'Code' });

export const ConnectedAccountView = AccountView.extend({
  billing_state: z.literal('paid'),
  access_token: z.string(),
}).meta({ id: 'ConnectedAccount' });
export type ConnectedAccountView = z.infer<typeof ConnectedAccountView>;

export function toConnectedAccountView(account: AccountSummary, accessToken: string): ConnectedAccountView {
  return {
    id: account.id,
    object: 'account',
    account_id: account.id,
    namespace_id: account.id,
    email_address: account.emailAddress,
    name: account.name,
    provider: account.provider,
    organization_unit: account.organizationUnit,
    sync_state: account.syncState,
    linked_at: unixSeconds(account.linkedAt),
    billing_state: 'paid',
    access_token: accessToken,
  };
}
