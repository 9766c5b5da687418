import type { ApiClient } from '../api-client.js';

import { groupedBy, type MailState, type MessageState } from './mail-state.js';

/** An object as the API gives it, as far as every object is alike. */
export interface ApiObject {
  readonly id: string;
  readonly object: string;
  readonly [field: string]: unknown;
}

export interface ApiMessage extends ApiObject {
  readonly thread_id: string;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly headers: { readonly 'Message-Id': string; readonly References: readonly string[] };
}

export interface ApiThread extends ApiObject {
  readonly message_ids: readonly string[];
  readonly draft_ids: readonly string[];
  readonly unread: boolean;
  readonly starred: boolean;
}

/** Everything the API shows of an account. */
export interface ApiView {
  readonly folders: readonly ApiObject[];
  /** Messages and drafts. */
  readonly messages: readonly ApiMessage[];
  readonly threads: readonly ApiThread[];
  /** Folder id to ids of the messages and drafts in it. */
  readonly contents: ReadonlyMap<string, readonly string[]>;
}

const PAGE = 1000;

export async function readApi(api: ApiClient): Promise<ApiView> {
  const list = async <T>(path: string) => {
    const rows = await api.ok<T[]>(`${path}${path.includes('?') ? '&' : '?'}limit=${PAGE}`);
    if (rows.length === PAGE) throw new Error(`${path} is longer than one page`);
    return rows;
  };
  const folders = await list<ApiObject>('/folders');
  const messages = await list<ApiMessage>('/messages?view=expanded');
  const drafts = await list<ApiMessage>('/drafts?view=expanded');
  const threads = await list<ApiThread>('/threads');
  const contents = new Map<string, string[]>();
  for (const { id } of folders) {
    const kinds = ['messages', 'drafts'].map((kind) => list<string>(`/${kind}?in=${id}&view=ids`));
    contents.set(id, (await Promise.all(kinds)).flat());
  }
  return { folders, messages: [...messages, ...drafts], threads, contents };
}

const bracketless = (id: string) => id.replace(/^<|>$/g, '');

export const nameOf = (message: ApiMessage): string => bracketless(message.headers['Message-Id']);

/** The view in the terms of the mailbox. */
export function asMailState({ folders, messages, contents }: ApiView): MailState {
  const pathsOf = new Map<string, Set<string>>();
  for (const folder of folders) {
    for (const id of contents.get(folder.id) ?? []) {
      pathsOf.set(id, (pathsOf.get(id) ?? new Set()).add(String(folder['display_name'])));
    }
  }
  const states = new Map<string, MessageState>();
  for (const message of messages) {
    // What was sent and comes back is another message under the same Message-ID.
    const other = states.get(nameOf(message));
    states.set(nameOf(message), {
      unread: message.unread && other?.unread !== false,
      starred: message.starred || other?.starred === true,
      draft: message.object === 'draft' || other?.draft === true,
      folders: new Set([...(pathsOf.get(message.id) ?? []), ...(other?.folders ?? [])]),
    });
  }
  return { folders: new Set(folders.map((folder) => String(folder['display_name']))), messages: states };
}

/**
 * What does not fit together within one view: threads and messages, doubled messages, threads that reference tells.
 * @param mostOf how many messages there may be with a Message-ID
 */
export function contradictions({ messages, threads }: ApiView, mostOf: (name: string) => number = () => 1): string[] {
  const lines: string[] = [];
  const byName = groupedBy(messages, nameOf);
  for (const [name, alike] of byName) {
    const most = mostOf(name);
    if (alike.length > most) lines.push(`message ${name} is there ${alike.length} times, not ${most}`);
  }
  const known = new Set(threads.map(({ id }) => id));
  for (const { id, thread_id: thread } of messages)
    if (!known.has(thread)) lines.push(`message ${id} is in thread ${thread}, which is not there`);
  for (const thread of threads) {
    const members = messages.filter((message) => message.thread_id === thread.id);
    const ids = (drafts: boolean) =>
      members.filter((message) => (message.object === 'draft') === drafts).map(({ id }) => id);
    const wanted = {
      messages: ids(false).toSorted(),
      drafts: ids(true).toSorted(),
      unread: members.some(({ unread }) => unread),
      starred: members.some(({ starred }) => starred),
    };
    const found = {
      messages: thread.message_ids.toSorted(),
      drafts: thread.draft_ids.toSorted(),
      unread: thread.unread,
      starred: thread.starred,
    };
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      lines.push(`thread ${thread.id} is ${JSON.stringify(found)} and should be ${JSON.stringify(wanted)}`);
  }
  return [...lines, ...mistakenThreads(messages, byName)];
}

/** Letters of one topic name all their ancestors; letters of different topics have nothing in common. */
function mistakenThreads(
  messages: readonly ApiMessage[],
  byName: ReadonlyMap<string, readonly ApiMessage[]>,
): string[] {
  const lines: string[] = [];
  const topics = new Map<string, string>();
  for (const message of messages) {
    for (const reference of message.headers.References.map(bracketless)) {
      const others = byName.get(reference) ?? [];
      if (others.some((other) => other.thread_id !== message.thread_id))
        lines.push(`${nameOf(message)} answers ${reference} and is in another thread`);
    }
    const topic = String(message['subject']).replace(/^Re: /, '');
    const before = topics.get(message.thread_id) ?? topic;
    if (before !== topic) lines.push(`thread ${message.thread_id} holds both ${before} and ${topic}`);
    topics.set(message.thread_id, topic);
  }
  return lines;
}
