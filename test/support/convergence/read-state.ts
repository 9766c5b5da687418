import type { ImapFlow } from 'imapflow';

import type { Installation } from '../installation.js';

import { listSelectable, openUnlessShell } from './mailbox-truth.js';

interface ReadFolder {
  readonly path: string;
  readonly cursor: { readonly uidValidity: string; readonly uidNext: number; readonly modseq: string | null } | null;
  readonly unfinished: boolean;
}

/**
 * What of all that happened in the mailbox has not been read: every folder is to stand where the server's stands, and
 * nothing left to be read, dropped or found. The API may look right before that. Empty when everything is read.
 */
export async function unreadPart(installation: Installation, accountId: string, client: ImapFlow): Promise<string> {
  const folders = await installation.query<ReadFolder>(
    `SELECT path, cursor, swept_at IS NULL
       OR EXISTS (SELECT FROM backfill_ranges WHERE account_id = $1)
       OR EXISTS (SELECT FROM messages WHERE account_id = $1 AND orphaned_at IS NOT NULL) AS unfinished
     FROM folder_syncs sync JOIN categories folder ON folder.account_id = sync.account_id AND id = folder_id
     WHERE sync.account_id = $1`,
    [accountId],
  );
  const known = new Map(folders.map((folder) => [folder.path, folder]));
  for (const listed of await listSelectable(client)) {
    // Opened, since Dovecot's STATUS may for minutes be older than what it has told others already.
    const box = await openUnlessShell(client, listed);
    if (!box) continue;
    const { path } = listed;
    const folder = known.get(path);
    if (!folder?.cursor) return `${path} was not read at all`;
    if (folder.unfinished) return `${path} is not finished`;
    const { uidValidity, uidNext, modseq } = folder.cursor;
    const [ours, theirs] = [
      [uidValidity, uidNext, modseq],
      [box.uidValidity, box.uidNext, box.highestModseq],
    ].map((numbers) => numbers.map((number) => String(number ?? 'none')).join(' '));
    if (ours !== theirs) return `${path} is read to ${ours} of ${theirs}`;
  }
  return '';
}
