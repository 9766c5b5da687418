/** One message as any copy shows it. */
export interface MessageState {
  /** No copy has been read. */
  readonly unread: boolean;
  /** Some copy is flagged. */
  readonly starred: boolean;
  /** Some copy lies in the drafts folder. */
  readonly draft: boolean;
  /** Paths of the folders it is in. */
  readonly folders: ReadonlySet<string>;
}

/** A mailbox, as a server has it or as the API shows it; messages by Message-ID without angle brackets. */
export interface MailState {
  readonly folders: ReadonlySet<string>;
  /** Folders that may be shown or not: the server lists them, for the sake of others below, and cannot open them. */
  readonly shells?: ReadonlySet<string>;
  readonly messages: ReadonlyMap<string, MessageState>;
}

/** One line for each thing in which `found` is not as `wanted`; none when they are equal. */
export function differences(wanted: MailState, found: MailState): string[] {
  const folders = [...found.folders].filter((folder) => !wanted.shells?.has(folder));
  const lines = compareKeys('folder', wanted.folders, new Set(folders));
  lines.push(...compareKeys('message', new Set(wanted.messages.keys()), new Set(found.messages.keys())));
  for (const [name, message] of wanted.messages) {
    const other = found.messages.get(name);
    if (other && spell(other) !== spell(message)) {
      lines.push(`message ${name} is ${spell(other)} and should be ${spell(message)}`);
    }
  }
  return lines;
}

function compareKeys(what: string, wanted: ReadonlySet<string>, found: ReadonlySet<string>): string[] {
  return [
    ...[...wanted].filter((key) => !found.has(key)).map((key) => `${what} ${key} is missing`),
    ...[...found].filter((key) => !wanted.has(key)).map((key) => `${what} ${key} should not be there`),
  ];
}

function spell({ unread, starred, draft, folders }: MessageState): string {
  const words = [unread ? 'unread' : 'read', ...(starred ? ['starred'] : []), draft ? 'draft' : 'message'];
  return `${words.join(' ')} in ${[...folders].toSorted().join(' + ')}`;
}

export function groupedBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
