interface ParsedThread {
  readonly message_ids: readonly string[];
  readonly draft_ids: readonly string[];
}

/** Ids of all messages and drafts of a rendered thread. */
export function idsOf(thread: string): string[] {
  const { message_ids, draft_ids } = JSON.parse(thread) as ParsedThread;
  return [...message_ids, ...draft_ids];
}

/**
 * The thread with `messages` and `drafts` in place of the two id lists.
 *
 * @param rendered messages as JSON text, by id. One that is missing was deleted since the thread was read: left out.
 */
export function asExpanded(thread: string, rendered: ReadonlyMap<string, string>): string {
  const { message_ids, draft_ids, ...rest } = JSON.parse(thread) as ParsedThread;
  const list = (ids: readonly string[]) =>
    ids
      .map((id) => rendered.get(id))
      .filter((text) => text !== undefined)
      .join(',');
  return `${JSON.stringify(rest).slice(0, -1)},"messages":[${list(message_ids)}],"drafts":[${list(draft_ids)}]}`;
}
