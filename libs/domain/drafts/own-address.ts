import type { Tx } from '#libs/changes/account-writer.js';
import type { Participant } from '#libs/common/participants.js';

/** The account's owner, as sender. */
export async function ownAddress(tx: Tx): Promise<Participant> {
  const [account] = await tx.query<Participant>('SELECT name, email_address AS email FROM accounts WHERE id = $1', [
    tx.accountId,
  ]);
  return account ?? { name: '', email: '' };
}
