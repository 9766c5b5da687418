import type { FolderCursor, RemoteFolder } from '#libs/providers/contracts/mail-driver.js';

export interface KnownFolder {
  readonly id: string;
  readonly path: string;
  readonly displayName: string;
  readonly role: string | null;
  readonly cursor: FolderCursor | null;
}

export interface FolderChange {
  readonly id: string;
  readonly to: RemoteFolder;
  /** What is sent and what is a draft hangs on it, for every message in the folder. */
  readonly roleChanged: boolean;
}

export interface FoldersPlan {
  readonly create: readonly RemoteFolder[];
  /** Same folder under a new path, role or spelling. */
  readonly change: readonly FolderChange[];
  /** Not listed any more. Whether they are really gone has to be asked. */
  readonly missing: readonly KnownFolder[];
}

/** Folders of a listing that may be known ones under new names: whether they are, their MAILBOXID would tell. */
export function unidentified(known: readonly KnownFolder[], remote: readonly RemoteFolder[]): RemoteFolder[] {
  const paths = new Set(known.map((folder) => folder.path));
  const listed = new Set(remote.map((folder) => folder.path));
  const moved = known.some(({ path, cursor }) => cursor?.mailboxId !== undefined && !listed.has(path));
  return moved ? remote.filter((folder) => folder.mailboxId === null && !paths.has(folder.path)) : [];
}

/** Compares the folders we know with a complete listing. */
export function planFolders(known: readonly KnownFolder[], remote: readonly RemoteFolder[]): FoldersPlan {
  const byPath = new Map(known.map((folder) => [folder.path, folder]));
  const listed = new Set(remote.map((folder) => folder.path));
  const missing = new Set(known.filter((folder) => !listed.has(folder.path)));
  const strangers = remote.filter((folder) => !byPath.has(folder.path));
  const create: RemoteFolder[] = [];
  const change: FolderChange[] = [];
  for (const folder of remote) {
    const same = byPath.get(folder.path) ?? renamed(folder, missing, strangers);
    if (!same) {
      create.push(folder);
      continue;
    }
    missing.delete(same);
    if (differs(same, folder)) {
      change.push({ id: same.id, to: folder, roleChanged: same.role !== folder.role });
    }
  }
  return { create, change, missing: [...missing] };
}

function differs(known: KnownFolder, remote: RemoteFolder): boolean {
  return known.path !== remote.path || known.displayName !== remote.displayName || known.role !== remote.role;
}

/**
 * The missing folder that this new path may be. Without a MAILBOXID (RFC 8474) everything the server counts must agree,
 * and no other folder may fit as well: taking a stranger for the renamed folder would tie its uids to the wrong
 * messages. Folders of which one message each was filed in the same second look alike.
 */
function renamed(
  remote: RemoteFolder,
  missing: ReadonlySet<KnownFolder>,
  strangers: readonly RemoteFolder[],
): KnownFolder | undefined {
  const { mailboxId } = remote;
  if (mailboxId !== null) return [...missing].find(({ cursor }) => cursor?.mailboxId === mailboxId);
  const [alike, another] = [...missing].filter((folder) => agrees(folder, remote));
  if (!alike || another) return undefined;
  return strangers.some((stranger) => stranger !== remote && agrees(alike, stranger)) ? undefined : alike;
}

function agrees({ cursor }: KnownFolder, { status }: RemoteFolder): boolean {
  if (cursor === null || status === null || cursor.mailboxId !== undefined) return false;
  const { uidValidity, uidNext, messages } = status;
  const counts = uidNext !== null && uidNext === cursor.uidNext && messages === cursor.messages && messages > 0;
  return counts && uidValidity === cursor.uidValidity;
}

const priorities: Readonly<Record<string, number>> = { inbox: 0, sent: 1, drafts: 2, all: 3, spam: 5, trash: 5 };

/** Which folders' old mail is read first. */
export function folderPriority(role: string | null): number {
  return role === null ? 4 : (priorities[role] ?? 4);
}
