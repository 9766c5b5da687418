import type { ImapFlow } from 'imapflow';

/**
 * As after restoring a backup: the same mail in a folder of the same name, numbered anew.
 * @param meanwhile what the new folder is called at first
 * @returns how many messages there are
 */
export async function renumber(client: ImapFlow, path: string, meanwhile = 'Restored'): Promise<number> {
  await client.mailboxCreate(meanwhile);
  const { exists } = await client.mailboxOpen(path);
  if (exists > 0) await client.messageCopy('1:*', meanwhile);
  await client.mailboxClose();
  await client.mailboxDelete(path);
  await client.mailboxRename(meanwhile, path);
  return exists;
}
