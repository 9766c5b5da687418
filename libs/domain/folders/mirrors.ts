/** Roles of folders that show what lies in others: a message leaves them when it leaves those. */
export const mirrors: ReadonlySet<string | null> = new Set(['all', 'starred', 'important']);
