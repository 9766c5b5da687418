import type { ImapFlow } from 'imapflow';

import type { MailState, MessageState } from './mail-state.js';

const bracketless = (id: string) => id.replace(/^<|>$/g, '');

/** What the API has to show of a mailbox, read over IMAP. Nothing may be changing it meanwhile. */
export async function mailboxTruth(client: ImapFlow): Promise<MailState> {
  const listed = (await client.list()).filter(({ flags }) => !flags.has('\\Noselect') && !flags.has('\\NonExistent'));
  const messages = new Map<string, MessageState>();
  for (const folder of listed) {
    const box = await client.mailboxOpen(folder.path, { readOnly: true });
    const rows = box.exists > 0 ? await client.fetchAll('1:*', { uid: true, flags: true, envelope: true }) : [];
    for (const { flags, envelope } of rows) {
      const name = bracketless(envelope?.messageId ?? '');
      const before = messages.get(name);
      messages.set(name, {
        unread: (before?.unread ?? true) && !flags?.has('\\Seen'),
        starred: (before?.starred ?? false) || flags?.has('\\Flagged') === true,
        draft: (before?.draft ?? false) || folder.specialUse === '\\Drafts',
        folders: new Set([...(before?.folders ?? []), folder.path]),
      });
    }
  }
  await client.mailboxClose();
  return { folders: new Set(listed.map(({ path }) => path)), messages };
}
