import type { ImapFlow } from 'imapflow';

import type { Random } from '../../bench/mailbox/random.js';

import { type ApiMessage, type ApiObject, type ApiView, nameOf } from './api-view.js';
import type { SourceChange } from './change-source.js';
import type { MailUser } from './mail-user.js';
import { namedMessages } from './mailbox-truth.js';

/** What one mail program did while no other was at work, and what the log may tell of it. */
export interface CalmDeed {
  readonly words: string;
  /** In which way these changes are not what the log should have told. */
  readonly check: (changes: readonly SourceChange[]) => string[];
}

/**
 * Moves some messages of one folder to another: each is modified once, and nothing else happens to any message.
 * @returns null when there is nothing to move, or nowhere
 */
export async function moveSome(
  client: ImapFlow,
  view: ApiView,
  random: Random,
  { ledger, name: program }: Pick<MailUser, 'ledger' | 'name'>,
): Promise<CalmDeed | null> {
  const folders = view.folders.filter(({ display_name: name }) => name !== 'Drafts');
  const filled = folders.filter(({ id }) => loners(view, id).length > 0);
  if (filled.length === 0) return null;
  const from = random.pick(filled);
  const to = random.pick(folders.filter((folder) => folder !== from));
  const [source, target] = [String(from['display_name']), String(to['display_name'])];
  const certain = (await soleCopies(client, view, from)).filter(({ name }) => !ledger.isUncertain(name));
  const chosen = certain.filter(() => random.chance(0.7));
  if (chosen.length === 0) return null;
  ledger.handle(
    chosen.map(({ name }) => name),
    program,
  );
  const uids = chosen.map(({ uid }) => uid).join(',');
  const names = chosen.map(({ name, id }) => `${id} (${name})`).join();
  if (!(await client.messageMove(uids, target, { uid: true }))) return null;
  return {
    words: `${source} ${uids} to ${target}`,
    check: (changes) => {
      const told = changes.filter(({ type }) => type === 'message' || type === 'draft');
      const wanted = chosen.map(({ id }) => `modify message ${id}`).toSorted();
      const found = told.map(({ event, type, id }) => `${event} ${type} ${id}`).toSorted();
      return found.join() === wanted.join()
        ? []
        : [`the log should tell ${wanted.join()} of ${names} and tells ${found.join()}`];
    },
  };
}

/** The messages of a folder that lie there once, and nowhere else. */
async function soleCopies(
  client: ImapFlow,
  view: ApiView,
  folder: ApiObject,
): Promise<{ uid: number; name: string; id: string }[]> {
  const ids = new Map(loners(view, folder.id).map((message) => [nameOf(message), message.id]));
  const named = await namedMessages(client, String(folder['display_name']));
  return named.flatMap(({ uid, name }) => {
    const id = ids.get(name);
    return id !== undefined && named.filter((other) => other.name === name).length === 1 ? [{ uid, name, id }] : [];
  });
}

/** The messages that are in no other folder. */
function loners({ messages, contents }: ApiView, folderId: string): ApiMessage[] {
  const here = new Set(contents.get(folderId));
  const elsewhere = new Set([...contents].filter(([id]) => id !== folderId).flatMap(([, ids]) => ids));
  return messages.filter(({ id }) => here.has(id) && !elsewhere.has(id));
}

/**
 * What the log may not tell after a folder was numbered anew, which changes nothing that anybody sees.
 * @param odd folders that the server lists and cannot open, or lists only now: Dovecot may leave one that was just made out
 *   of its listing until something else happens. Of them the log may tell what it likes.
 */
export function toldOfMail(changes: readonly SourceChange[], { folders }: ApiView, odd: ReadonlySet<string>): string[] {
  const paths = new Map(folders.map((folder) => [folder.id, String(folder['display_name'])]));
  const pathOf = (id: string) => paths.get(id) ?? '';
  return changes
    .filter(({ type, id }) => type !== 'account' && !(type === 'folder' && odd.has(pathOf(id))))
    .map(({ event, type, id }) => `the log tells ${event} ${type} ${id} ${pathOf(id)} of a folder numbered anew`);
}
