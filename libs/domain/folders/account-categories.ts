import type { AccountRef, Dialect } from '../accounts/account-ref.js';

/** States of a thread that are listed beside its folders. API v1 shows them as tags. */
export const threadStates = ['unread', 'starred', 'unseen', 'attachment', 'drafts', 'sent'] as const;
export type ThreadState = (typeof threadStates)[number];

const isState = (text: string): text is ThreadState => (threadStates as readonly string[]).includes(text);

/** A folder, label or tag as it is stored. */
export interface CategoryRow {
  readonly id: string;
  readonly kind: 'folder' | 'label' | 'tag';
  readonly role: string | null;
  readonly path: string;
  readonly display_name: string;
}

/** Where a message is shown to be when it is in several folders. */
const ROLE_ORDER = ['inbox', 'sent', 'drafts', 'archive', null, 'starred', 'important', 'all', 'trash', 'spam'];

const rank = (row: CategoryRow): number => ROLE_ORDER.indexOf(ROLE_ORDER.includes(row.role) ? row.role : null);

/**
 * One account's folders, labels and tags, and what they are called on the wire. Rendered lists are kept: an account has
 * few distinct sets of categories and many threads.
 */
export class AccountCategories {
  private readonly byId: ReadonlyMap<string, CategoryRow>;
  private readonly memo = new Map<string, string>();

  constructor(readonly rows: readonly CategoryRow[]) {
    this.byId = new Map(rows.map((row) => [row.id, row]));
  }

  /** Whether every entry of a thread's or message's category list is known here. */
  knows(list: string): boolean {
    return list === '' || list.split(',').every((entry) => this.byId.has(entry) || isState(entry));
  }

  /**
   * The end of a thread's JSON: its categories and the closing brace.
   *
   * @param list entries of `threads.categories`, joined by commas.
   */
  threadEnd(list: string, unit: AccountRef['organizationUnit'], dialect: Dialect): string {
    const key = `t${dialect}${list}`;
    return this.memo.get(key) ?? this.keep(key, this.renderThreadEnd(list, unit, dialect));
  }

  /** `,"folder":{…}` or `,"labels":[…]` of a message in API v2, nothing in v1. */
  messageCategory(list: string, unit: AccountRef['organizationUnit'], dialect: Dialect): string {
    if (dialect === 'v1') return '';
    const key = `m${list}`;
    return this.memo.get(key) ?? this.keep(key, this.renderMessageCategory(list, unit));
  }

  /** Entries of `threads.categories` that a filter value means: a state, a role, an id or a name. Empty: nothing. */
  entriesFor(value: string): string[] {
    const wanted = value.trim().toLowerCase();
    const folders = this.rows.filter(
      (row) =>
        row.role === wanted ||
        row.id === wanted ||
        row.display_name.toLowerCase() === wanted ||
        row.path.toLowerCase() === wanted,
    );
    return [...(isState(wanted) ? [wanted] : []), ...folders.map((row) => row.id)];
  }

  private keep(key: string, text: string): string {
    this.memo.set(key, text);
    return text;
  }

  private renderThreadEnd(list: string, unit: AccountRef['organizationUnit'], dialect: Dialect): string {
    if (dialect === 'v1') return `,"tags":${JSON.stringify(this.tagsOf(list))}}`;
    const folders = this.placesOf(list).map(shortCategory);
    return `,"${unit === 'label' ? 'labels' : 'folders'}":${JSON.stringify(folders)}}`;
  }

  private renderMessageCategory(list: string, unit: AccountRef['organizationUnit']): string {
    const places = this.placesOf(list).map(shortCategory);
    return unit === 'label' ? `,"labels":${JSON.stringify(places)}` : `,"folder":${JSON.stringify(places[0] ?? null)}`;
  }

  private placesOf(list: string): CategoryRow[] {
    return split(list)
      .map((entry) => this.byId.get(entry))
      .filter((row) => row !== undefined)
      .filter((row) => row.kind !== 'tag')
      .toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  }

  private tagsOf(list: string): { id: string; name: string }[] {
    const tags = new Map<string, { id: string; name: string }>();
    for (const entry of split(list)) {
      const row = this.byId.get(entry);
      const tag = row ? tagOf(row) : isState(entry) ? { id: entry, name: entry } : null;
      if (tag) tags.set(tag.id, tag);
    }
    return [...tags.values()];
  }
}

const split = (list: string): string[] => (list === '' ? [] : list.split(','));

const shortCategory = (row: CategoryRow) => ({ id: row.id, name: row.role, display_name: row.display_name });

/** A folder as API v1 shows it: canonical ones are named and identified by their role. */
export function tagOf(row: CategoryRow): { id: string; name: string } {
  return row.role === null ? { id: row.id, name: row.display_name.toLowerCase() } : { id: row.role, name: row.role };
}
