import type { DraftKey } from '#libs/mime/draft-print.js';

const DRAFT_KEY = 'SELECT draft_key AS secret, draft_key_at AS since FROM accounts WHERE id = $1';

/** @param query within a transaction, or without one */
export async function draftKeyOf(
  accountId: string,
  query: (sql: string, parameters: unknown[]) => Promise<DraftKey[]>,
): Promise<DraftKey> {
  const [key] = await query(DRAFT_KEY, [accountId]);
  if (!key) throw new Error('the account is gone');
  return key;
}
