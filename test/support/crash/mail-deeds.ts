import type { Random } from '../../bench/mailbox/random.js';
import type { ApiMessage } from '../convergence/api-view.js';

import type { Deed, Intention } from './deed.js';
import type { Found, Seat } from './seat.js';

interface Folder {
  readonly id: string;
  readonly display_name: string;
}

/** In which way a message is not as it should be. */
function unlike(found: Found, id: string, wanted: Readonly<Record<string, unknown>>): string[] {
  const message = found.view.messages.find((each) => each.id === id);
  if (!message) return [`message ${id} is gone`];
  const shown: Record<string, unknown> = { ...message, folder: (message['folder'] as Folder | null)?.display_name };
  return Object.entries(wanted)
    .filter(([field, value]) => shown[field] !== value)
    .map(([field, value]) => `message ${id}: ${field} is ${String(shown[field])}, not ${String(value)}`);
}

async function flags(seat: Seat, random: Random): Promise<Intention> {
  const [message] = await seat.someLetters(random, 1);
  let { unread, starred } = message!;
  const act = () => {
    [unread, starred] = [!unread, !starred];
    return seat.done('PUT', `/messages/${message!.id}`, { unread, starred });
  };
  return { act, again: act, faults: (found) => unlike(found, message!.id, { unread, starred }) };
}

async function move(seat: Seat, random: Random): Promise<Intention> {
  const folders = await seat.account.api.ok<Folder[]>('/folders');
  const messages = await seat.someLetters(random, 3);
  const at = (message: ApiMessage) => (message['folder'] as Folder).display_name;
  const targets = random.chance(0.5) ? ['Work', 'INBOX', 'Archive'] : ['Archive', 'Work', 'INBOX'];
  let target = targets.find((name) => messages.every((message) => at(message) !== name))!;
  const moveTo = async (name: string) => {
    target = name;
    const { id: folderId } = folders.find((folder) => folder.display_name === name)!;
    for (const { id } of messages) await seat.done('PUT', `/messages/${id}`, { folder_id: folderId });
  };
  return {
    act: () => moveTo(target ?? 'Trash'),
    again: () => moveTo(target === 'Trash' ? 'INBOX' : 'Trash'),
    faults: (found) => messages.flatMap(({ id }) => unlike(found, id, { folder: target })),
  };
}

async function tags(seat: Seat, random: Random): Promise<Intention> {
  const [message] = await seat.someLetters(random, 1);
  const arrived = (message!['folder'] as Folder).display_name === 'INBOX';
  const [folder, change] = arrived
    ? ['Archive', { add_tags: ['starred'], remove_tags: ['inbox', 'unread'] }]
    : ['INBOX', { add_tags: ['inbox', 'unread'], remove_tags: ['starred'] }];
  const wanted = { folder, unread: !arrived, starred: arrived };
  return {
    act: () => seat.done('PUT', `${seat.account.v1}/threads/${message!.thread_id}`, change),
    faults: (found) => unlike(found, message!.id, wanted),
  };
}

const folderNames = ({ view }: Found): string[] => view.folders.map((folder) => String(folder['display_name']));

async function createFolder(seat: Seat): Promise<Intention> {
  const name = seat.newName('New');
  return {
    act: () => seat.done('POST', '/folders', { display_name: name }),
    faults: (found) => (folderNames(found).includes(name) ? [] : [`folder ${name} was not made`]),
  };
}

/** One with a folder below it, and a letter in it or not. */
async function renameFolder(seat: Seat, random: Random): Promise<Intention> {
  const before = seat.newName('Old');
  const { id } = await seat.done<Folder>('POST', '/folders', { display_name: before });
  const below = await seat.done<Folder>('POST', '/folders', { display_name: `${before}/Below` });
  const [message] = await seat.someLetters(random, 1);
  const inside = random.pick([id, below.id]);
  await seat.done('PUT', `/messages/${message!.id}`, { folder_id: inside });
  await seat.rest();
  let name = before;
  const act = () => {
    name = seat.newName('Renamed');
    return seat.done('PUT', `/folders/${id}`, { display_name: name });
  };
  return {
    act,
    again: act,
    faults: (found) => {
      const names = folderNames(found);
      const wrong = [name, `${name}/Below`].filter((each) => !names.includes(each));
      const folder = inside === id ? name : `${name}/Below`;
      return [...wrong.map((each) => `there is no folder ${each}`), ...unlike(found, message!.id, { folder })];
    },
  };
}

async function deleteFolder(seat: Seat): Promise<Intention> {
  const name = seat.newName('Doomed');
  const { id } = await seat.done<Folder>('POST', '/folders', { display_name: name });
  await seat.rest();
  return {
    act: () => seat.done('DELETE', `/folders/${id}`, {}),
    faults: (found) => (folderNames(found).includes(name) ? [`folder ${name} is there still`] : []),
  };
}

export const mailDeeds: readonly Deed[] = [
  { name: 'flags', server: 'full', intend: flags },
  { name: 'folder_id', server: 'full', intend: move },
  { name: 'folder_id, no MOVE', server: 'no MOVE', intend: move },
  { name: 'folder_id, no UIDPLUS', server: 'plain', intend: move },
  { name: 'tags', server: 'full', intend: tags },
  { name: 'create folder', server: 'full', intend: createFolder },
  { name: 'rename folder', server: 'full', intend: renameFolder },
  { name: 'delete folder', server: 'full', intend: deleteFolder },
];
