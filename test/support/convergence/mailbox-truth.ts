import type { ImapFlow, ListResponse, MailboxObject } from 'imapflow';

import type { MailState, MessageState } from './mail-state.js';

const bracketless = (id: string) => id.replace(/^<|>$/g, '');

/** What the API has to show of a mailbox, read over IMAP. Nothing may be changing it meanwhile. */
export async function mailboxTruth(client: ImapFlow): Promise<MailState> {
  const folders = new Set<string>();
  const shells = new Set<string>();
  const messages = new Map<string, MessageState>();
  for (const folder of await listSelectable(client)) {
    const box = await openUnlessShell(client, folder);
    (box ? folders : shells).add(folder.path);
    const rows = box?.exists ? await client.fetchAll('1:*', { uid: true, flags: true, envelope: true }) : [];
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
  return { folders, shells, messages };
}

/** The folders that the server says can be opened. */
export async function listSelectable(client: ImapFlow): Promise<ListResponse[]> {
  return (await client.list()).filter(({ flags }) => !flags.has('\\Noselect') && !flags.has('\\NonExistent'));
}

/** Dovecot goes on listing a deleted folder with folders below it as if it could be opened. */
export async function openUnlessShell(client: ImapFlow, { path, flags }: ListResponse): Promise<MailboxObject | null> {
  try {
    return await client.mailboxOpen(path, { readOnly: true });
  } catch (error) {
    const answer = (error as { responseText?: string }).responseText ?? '';
    if (flags.has('\\HasChildren') && answer.startsWith("Mailbox doesn't exist")) return null;
    throw new Error(`cannot open ${path} (${[...flags].join(' ')}): ${answer}`, { cause: error });
  }
}
