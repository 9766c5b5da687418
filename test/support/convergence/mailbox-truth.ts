import type { ImapFlow, ListResponse, MailboxObject } from 'imapflow';

import type { MailState, MessageState } from './mail-state.js';

const bracketless = (id: string) => id.replace(/^<|>$/g, '');

/** One message in one folder. */
export interface Copy {
  readonly folder: string;
  readonly inDrafts: boolean;
  /** Its Message-ID without angle brackets. */
  readonly name: string;
  readonly subject: string;
  readonly flags: ReadonlySet<string>;
}

export interface Mailbox extends Pick<MailState, 'folders' | 'shells'> {
  readonly copies: readonly Copy[];
}

/** Reads everything over IMAP. Nothing may be changing it meanwhile. */
export async function readMailbox(client: ImapFlow): Promise<Mailbox> {
  const folders = new Set<string>();
  const shells = new Set<string>();
  const copies: Copy[] = [];
  for (const folder of await listSelectable(client)) {
    const box = await openUnlessShell(client, folder);
    (box ? folders : shells).add(folder.path);
    const rows = box?.exists ? await client.fetchAll('1:*', { uid: true, flags: true, envelope: true }) : [];
    for (const { flags = new Set<string>(), envelope } of rows) {
      const [name, subject] = [bracketless(envelope?.messageId ?? ''), envelope?.subject ?? ''];
      copies.push({ folder: folder.path, inDrafts: folder.specialUse === '\\Drafts', name, subject, flags });
    }
  }
  return { folders, shells, copies };
}

/** What the API has to show of a mailbox. */
export function stateOf({ folders, shells, copies }: Mailbox): MailState {
  const messages = new Map<string, MessageState>();
  for (const { folder, inDrafts, name, flags } of copies) {
    const before = messages.get(name);
    messages.set(name, {
      unread: (before?.unread ?? true) && !flags.has('\\Seen'),
      starred: (before?.starred ?? false) || flags.has('\\Flagged'),
      draft: (before?.draft ?? false) || inDrafts,
      folders: new Set([...(before?.folders ?? []), folder]),
    });
  }
  return { folders, shells, messages };
}

export const mailboxTruth = async (client: ImapFlow): Promise<MailState> => stateOf(await readMailbox(client));

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

/** Opens a folder. @returns its messages by uid and Message-ID without angle brackets */
export async function namedMessages(client: ImapFlow, path: string): Promise<{ uid: number; name: string }[]> {
  const { exists } = await client.mailboxOpen(path);
  const rows = exists > 0 ? await client.fetchAll('1:*', { uid: true, envelope: true }) : [];
  return rows.map(({ uid, envelope }) => ({ uid, name: bracketless(envelope?.messageId ?? '') }));
}
