import type { FolderRole, FolderStatus, RemoteFolder } from '#libs/providers/contracts/mail-driver.js';

import { roleByName } from './folder-names.js';

/** One line of LIST, with what LIST-STATUS added. */
export interface ListedFolder {
  readonly path: string;
  readonly delimiter: string | null;
  readonly flags: ReadonlySet<string>;
  readonly status: FolderStatus | null;
  readonly mailboxId: string | null;
}

/** SPECIAL-USE (RFC 6154), its Gmail ancestors (XLIST), and the marker of RFC 8457. */
const roleByFlag: ReadonlyMap<string, FolderRole> = new Map([
  ['\\inbox', 'inbox'],
  ['\\sent', 'sent'],
  ['\\drafts', 'drafts'],
  ['\\trash', 'trash'],
  ['\\junk', 'spam'],
  ['\\spam', 'spam'],
  ['\\archive', 'archive'],
  ['\\all', 'all'],
  ['\\allmail', 'all'],
  ['\\flagged', 'starred'],
  ['\\starred', 'starred'],
  ['\\important', 'important'],
]);

/**
 * Turns a LIST into folders that can be opened, with roles. Flags of the server count first, for as many folders as
 * carry them; a role nobody is flagged with goes to at most one folder, by its name, the one nearest to the top.
 */
export function remoteFolders(listed: readonly ListedFolder[], namespacePrefix: string): RemoteFolder[] {
  const unique = new Map<string, ListedFolder>();
  for (const folder of listed) {
    if (folder.path !== '' && isSelectable(folder) && !unique.has(folder.path)) unique.set(folder.path, folder);
  }
  const folders = [...unique.values()];
  const roles = assignRoles(folders);
  return folders.map((folder) => ({
    path: folder.path,
    displayName: displayName(folder, namespacePrefix),
    delimiter: folder.delimiter,
    role: roles.get(folder.path) ?? null,
    mailboxId: folder.mailboxId,
    status: folder.status,
  }));
}

function isSelectable(folder: ListedFolder): boolean {
  return ![...folder.flags].some((flag) => /^\\(noselect|nonexistent)$/i.test(flag));
}

function assignRoles(folders: readonly ListedFolder[]): Map<string, FolderRole> {
  const roles = new Map<string, FolderRole>();
  for (const folder of folders) {
    const role = isInbox(folder.path) ? 'inbox' : flaggedRole(folder);
    if (role) roles.set(folder.path, role);
  }
  const taken = new Set(roles.values());
  for (const folder of folders.toSorted((a, b) => depth(a) - depth(b) || compare(a.path, b.path))) {
    if (roles.has(folder.path)) continue;
    const role = roleByName(lastPart(folder));
    if (!role || taken.has(role)) continue;
    roles.set(folder.path, role);
    taken.add(role);
  }
  return roles;
}

function flaggedRole(folder: ListedFolder): FolderRole | null {
  for (const flag of folder.flags) {
    const role = roleByFlag.get(flag.toLowerCase());
    if (role) return role;
  }
  return null;
}

const isInbox = (path: string) => path.toUpperCase() === 'INBOX';
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const parts = (folder: ListedFolder) => (folder.delimiter ? folder.path.split(folder.delimiter) : [folder.path]);
const depth = (folder: ListedFolder) => parts(folder).length;
const lastPart = (folder: ListedFolder) => parts(folder).at(-1) ?? '';

function displayName(folder: ListedFolder, prefix: string): string {
  const { path, delimiter } = folder;
  const inside = prefix && path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : path;
  const slashed = delimiter && delimiter !== '/' ? inside.split(delimiter).join('/') : inside;
  return slashed.normalize('NFC');
}
