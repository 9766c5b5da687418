import type { ImapFlow } from 'imapflow';

/** Sources of what lies in a folder, by uid; one character a byte. */
export async function sourcesIn(client: ImapFlow, path: string): Promise<string[]> {
  const lock = await client.getMailboxLock(path);
  const found: string[] = [];
  try {
    await client.noop();
    if (client.mailbox && client.mailbox.exists === 0) return [];
    for await (const row of client.fetch('1:*', { source: true })) found.push(row.source?.toString('latin1') ?? '');
  } finally {
    lock.release();
  }
  return found;
}
