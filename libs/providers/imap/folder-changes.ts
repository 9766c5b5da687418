import type { FolderCursor, FolderFact } from '#libs/providers/contracts/mail-driver.js';

import type { ImapConnection } from './imap-connection.js';
import type { OpenedFolder, Resumption } from './opened-folder.js';
import { listUids } from './uid-listing.js';

/** Without CONDSTORE, flags of this many newest messages are looked at in a quick pass. */
const RECENT = 1000;

/** See `MailDriver.changes`. The way is chosen by what the server can do: QRESYNC, CONDSTORE, or looking at all. */
export async function* folderChanges(
  connection: ImapConnection,
  path: string,
  since: FolderCursor | null,
  depth: 'recent' | 'full',
): AsyncGenerator<FolderFact> {
  const resume =
    since?.modseq && connection.condstore ? { uidValidity: since.uidValidity, modseq: since.modseq } : null;
  const folder = await connection.examine(path, resume);
  const cursor = cursorOf(folder);

  if (since === null) {
    yield await listing(connection, path);
  } else if (!isSameFolder(folder, since)) {
    yield { fact: 'reset' };
    yield await listing(connection, path);
  } else if (folder.resumed && since.modseq) {
    yield* told(folder.resumed);
    if (!addsUp(folder, since, folder.resumed)) yield await listing(connection, path);
  } else if (folder.modseq && since.modseq) {
    yield* sinceModseq(connection, folder, since, since.modseq);
  } else {
    yield* byLooking(connection, folder, since, depth);
  }
  yield { fact: 'cursor', cursor };
}

export function cursorOf(folder: OpenedFolder): FolderCursor {
  const { uidValidity, modseq, uidNext, messages, mailboxId } = folder;
  return { uidValidity, modseq, uidNext, messages, ...(mailboxId === null ? {} : { mailboxId }) };
}

/** Some servers give every folder the same UIDVALIDITY: two that changed places are told apart by MAILBOXID. */
function isSameFolder(folder: OpenedFolder, since: FolderCursor): boolean {
  if (folder.uidValidity !== since.uidValidity) return false;
  return folder.mailboxId === null || (since.mailboxId ?? folder.mailboxId) === folder.mailboxId;
}

function* told({ present, vanished }: Resumption): Generator<FolderFact> {
  const gone = new Set(vanished);
  for (const [uid, flags] of present) {
    if (!gone.has(uid)) yield { fact: 'present', uid, flags: withoutRecent(flags) };
  }
  if (gone.size > 0) yield { fact: 'vanished', uids: [...gone] };
}

/**
 * Whether the counts before and after agree with what we were told. Servers may name uids as vanished that we never
 * saw, so only a range can be checked.
 */
function addsUp(folder: OpenedFolder, since: FolderCursor, told: Resumption): boolean {
  if (since.uidNext === null) return false;
  let added = 0;
  for (const uid of told.present.keys()) if (uid >= since.uidNext) added++;
  const most = since.messages + added;
  return folder.messages <= most && folder.messages >= most - new Set(told.vanished).size;
}

/** Flags and new messages by modseq (RFC 7162 3.1.4.1); deletions leave no trace there but in the count. */
async function* sinceModseq(
  connection: ImapConnection,
  folder: OpenedFolder,
  since: FolderCursor,
  modseq: string,
): AsyncGenerator<FolderFact> {
  const unchanged = folder.modseq === modseq && folder.messages === since.messages && folder.uidNext === since.uidNext;
  if (unchanged) return;
  const seen = new Set<number>();
  const listening = connection.listen(folder.path);
  try {
    if (folder.messages > 0) yield* flagsOf(connection, folder.path, '1:*', seen, BigInt(modseq));
  } finally {
    listening.stop();
  }
  yield* told({ present: new Map(), vanished: listening.heard.vanished.filter((uid) => !seen.has(uid)) });
  if (!addsUp(folder, since, { present: new Map([...seen].map((uid) => [uid, []])), vanished: [] })) {
    yield await listing(connection, folder.path);
  }
}

/** A server that keeps no modseqs: flags are read again, deletions and arrivals show in the complete list. */
async function* byLooking(
  connection: ImapConnection,
  folder: OpenedFolder,
  since: FolderCursor,
  depth: 'recent' | 'full',
): AsyncGenerator<FolderFact> {
  if (folder.messages > 0) {
    const first = depth === 'full' ? 1 : Math.max(1, folder.messages - RECENT + 1);
    yield* flagsOf(connection, folder.path, `${first}:*`, new Set(), undefined);
  }
  const moved = since.messages !== folder.messages || since.uidNext !== folder.uidNext || folder.uidNext === null;
  if (moved || depth === 'full') yield await listing(connection, folder.path);
}

async function* flagsOf(
  connection: ImapConnection,
  path: string,
  range: string,
  seen: Set<number>,
  changedSince: bigint | undefined,
): AsyncGenerator<FolderFact> {
  const options = changedSince === undefined ? {} : { uid: true, changedSince };
  const rows = connection.flow.fetch(range, { uid: true, flags: true }, options);
  for await (const row of connection.rows(`reading flags in ${path}`, rows)) {
    // A row that lacks either was volunteered by the server for another reason.
    if (!row.uid || !row.flags || seen.has(row.uid)) continue;
    seen.add(row.uid);
    yield { fact: 'present', uid: row.uid, flags: withoutRecent(row.flags) };
  }
}

async function listing(connection: ImapConnection, path: string): Promise<FolderFact> {
  return { fact: 'listing', uids: await listUids(connection, path) };
}

export function withoutRecent(flags: Iterable<string>): string[] {
  return [...flags].filter((flag) => flag.toLowerCase() !== '\\recent');
}
