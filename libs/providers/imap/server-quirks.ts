/** What has to be done differently for a server. Everything else is done the same way for all. */
export interface ServerQuirks {
  /** IDLE is begun anew after so many milliseconds: the server forgets it, or hangs up, soon after. */
  readonly idleMs: number;
  /** How changes are asked for where the server does not tell of them by itself: see FolderWatch. */
  readonly poll: 'noop' | 'status' | 'examine';
  /** Pause between two such questions, in milliseconds. */
  readonly pollMs: number;
}

/** What a server is known by. */
export interface ServerMarks {
  readonly host: string;
  /** `name` and `vendor` of its answer to ID (RFC 2971), whatever of it there is. */
  readonly id: string;
}

interface Row {
  /** Ends of host names. */
  readonly hosts?: readonly string[];
  readonly id?: RegExp;
  readonly quirks: Partial<ServerQuirks>;
}

const ordinary: ServerQuirks = { idleMs: 9 * 60_000, poll: 'noop', pollMs: 30_000 };

/** Facts about servers, each seen in the wild. Those that match are laid over each other in this order. */
const rows: readonly Row[] = [
  // They end an IDLE that is not renewed within a few minutes, without a word.
  {
    hosts: ['yahoo.com', 'yahoo.co.jp', 'aol.com', 'att.net', 'rogers.com'],
    id: /\byahoo\b|y!imap/i,
    quirks: { idleMs: 3 * 60_000 },
  },
  { hosts: ['rambler.ru'], quirks: { idleMs: 55_000 } },
  // Coremail: has no IDLE, and NOOP neither tells anything nor keeps the connection open.
  {
    hosts: ['163.com', '126.com', 'yeah.net', '188.com', 'netease.com', 'qiye.163.com'],
    id: /coremail/i,
    quirks: { poll: 'status', pollMs: 55_000 },
  },
  // Only opening the folder again shows what happened in it.
  { hosts: ['naver.com'], id: /\bnaver\b/i, quirks: { poll: 'examine', pollMs: 55_000 } },
];

/** @param over what the caller wants otherwise */
export function quirksOf({ host, id }: ServerMarks, over: Partial<ServerQuirks> = {}): ServerQuirks {
  const name = host.toLowerCase();
  const known = rows.filter(
    (row) => row.hosts?.some((end) => name === end || name.endsWith(`.${end}`)) || (id !== '' && row.id?.test(id)),
  );
  return Object.assign({ ...ordinary }, ...known.map(({ quirks }) => quirks), over) as ServerQuirks;
}
