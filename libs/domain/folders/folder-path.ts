import { InvalidRequest } from '#libs/common/errors.js';

/** A folder as the provider names it, and as people see it. */
export interface NamedFolder {
  readonly path: string;
  readonly displayName: string;
  readonly delimiter: string | null;
}

/**
 * What the provider will call a folder that people call `displayName`, with `/` between the levels. Told from how the
 * account's other folders are called: their separator, and the prefix before them all (`INBOX.`).
 * @throws InvalidRequest when a level is empty, or has the provider's separator in it
 */
export function folderPath(displayName: string, others: readonly NamedFolder[]): string {
  const levels = displayName.split('/');
  const delimiter = others.find((folder) => folder.delimiter !== null)?.delimiter ?? null;
  if (levels.some((level) => level.trim() === '')) throw new InvalidRequest('"display_name" must be a valid string');
  if (delimiter === null && levels.length > 1) {
    throw new InvalidRequest('"display_name" must not contain "/": this account has no nested folders');
  }
  if (delimiter !== null && delimiter !== '/' && displayName.includes(delimiter)) {
    throw new InvalidRequest(`"display_name" must not contain "${delimiter}"`);
  }
  return prefixOf(others) + levels.join(delimiter ?? '');
}

function prefixOf(folders: readonly NamedFolder[]): string {
  for (const { path, displayName, delimiter } of folders) {
    const spelled = delimiter === null ? displayName : displayName.split('/').join(delimiter);
    if (path !== spelled && path.endsWith(spelled)) return path.slice(0, -spelled.length);
  }
  return '';
}

/** The folders after one of them, and those below it, got another path. */
export function renamed<F extends NamedFolder & { readonly id: string }>(
  folders: readonly F[],
  { id, newPath }: { readonly id: string; readonly newPath: string },
): F[] {
  const folder = folders.find((one) => one.id === id);
  const isBelow = (path: string) => folder?.delimiter != null && path.startsWith(folder.path + folder.delimiter);
  return folders.map((one) =>
    folder && (one === folder || isBelow(one.path))
      ? { ...one, path: newPath + one.path.slice(folder.path.length) }
      : one,
  );
}
