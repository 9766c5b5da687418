import type { ApiClient } from '../api-client.js';

import type { ApiObject, ApiView } from './api-view.js';
import type { ChangeSource, SourceChange } from './change-source.js';

/** Where to find an object of which the log speaks. */
const pathOf: Readonly<Record<string, (id: string) => string>> = {
  message: (id) => `/messages/${id}?view=expanded`,
  draft: (id) => `/drafts/${id}?view=expanded`,
  thread: (id) => `/threads/${id}`,
  folder: (id) => `/folders/${id}`,
};

/** A consumer that holds a copy of an account and asks only for what it is told has changed. */
export class Follower {
  /** What was told that cannot be: an object created twice, changed or deleted before it was created. */
  readonly complaints: string[] = [];
  /** Object by `type id`; null when it was gone already when we asked, so that its deletion is still to come. */
  private readonly held = new Map<string, ApiObject | null>();
  /** Everything it was told, oldest first. */
  readonly told: SourceChange[] = [];
  private reached = '0';
  private readonly passed = new Set<string>();

  constructor(
    private readonly source: ChangeSource,
    private readonly api: ApiClient,
  ) {}

  /** How far it has read. */
  get position(): string {
    return this.reached;
  }

  /** Reads the log to its end. */
  async catchUp(): Promise<void> {
    for (;;) {
      const changes = await this.source.after(this.reached);
      for (const change of changes) await this.apply(change);
      if (changes.length === 0) return;
    }
  }

  /** In which way the copy is not what the API shows. */
  differences({ folders, messages, threads }: ApiView): string[] {
    const shown = new Map([...folders, ...messages, ...threads].map((each) => [`${each.object} ${each.id}`, each]));
    const lines = this.complaints.slice();
    for (const [key, object] of shown) {
      const copy = this.held.get(key);
      if (copy === undefined) lines.push(`the log never told of ${key}`);
      else if (copy === null) lines.push(`${key} was not there when the log told of it`);
      else if (spell(copy) !== spell(object)) lines.push(`the log left ${key} at ${spell(copy)}, not ${spell(object)}`);
    }
    for (const key of this.held.keys()) if (!shown.has(key)) lines.push(`the log never told that ${key} is gone`);
    return lines;
  }

  private async apply({ cursor, type, id, event, object }: SourceChange): Promise<void> {
    const path = pathOf[type]?.(id);
    if (path !== undefined) {
      const key = `${type} ${id}`;
      const now = event === 'delete' ? null : (object ?? (await this.fetch(path)));
      const knew = this.held.has(key);
      if (knew ? event === 'create' : this.source.exact && event !== 'create')
        this.complaints.push(`change ${cursor}: ${event} of ${key}`);
      if (event === 'delete') this.held.delete(key);
      else this.held.set(key, now);
    }
    if (this.passed.has(cursor)) this.complaints.push(`change ${cursor} was told twice`);
    this.passed.add(cursor);
    this.told.push({ cursor, type, id, event });
    this.reached = cursor;
  }

  private async fetch(path: string): Promise<ApiObject | null> {
    const answer = await this.api.get(path);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json as ApiObject;
  }
}

/**
 * An object without the names of its folders, since a folder's new name is told of the folder only, and with the
 * members of an expanded thread by id: they are told of by themselves.
 */
function spell({ folder, folders, messages, drafts, ...rest }: ApiObject): string {
  const idOf = (place: unknown) => (place as { id?: string } | null)?.id;
  const places = Array.isArray(folders) ? folders.map(idOf).toSorted() : idOf(folder);
  const members = Array.isArray(messages) && Array.isArray(drafts);
  const ids = members ? { message_ids: messages.map(idOf), draft_ids: drafts.map(idOf) } : {};
  return JSON.stringify(Object.entries({ ...rest, ...ids, places }).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
