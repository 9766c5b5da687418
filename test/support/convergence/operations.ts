import type { ImapFlow } from 'imapflow';

import { renumber } from '../renumber.js';

import type { MailUser, Operation, SomeMessages } from './mail-user.js';
import { namedMessages } from './mailbox-truth.js';

type Act = Operation['act'];

const NOTHING = 'nothing there';
const byUid = { uid: true } as const;

/** Does something to some messages of some folder. */
function withMessages(act: (user: MailUser, client: ImapFlow, some: SomeMessages) => Promise<string>): Act {
  return async (user, client) => {
    const some = await user.someMessages(client);
    return some ? `${some.folder} ${some.uids} ${await act(user, client, some)}` : NOTHING;
  };
}

/** Takes them elsewhere. */
function handling(act: (user: MailUser, client: ImapFlow, some: SomeMessages) => Promise<string>): Act {
  return withMessages((user, client, some) => {
    user.ledger.handle(some.names, user.name);
    return act(user, client, some);
  });
}

/** Does something to some folder that the server could do without. */
function withFolder(act: (user: MailUser, client: ImapFlow, path: string) => Promise<string>): Act {
  return async (user, client) => {
    const path = await user.ownFolder(client);
    return path === null ? NOTHING : `${path} ${await act(user, client, path)}`;
  };
}

const append: Act = async (user, client) => user.append(client, await user.folder(client));

/** Several at once, as after a night. */
const deliver: Act = async (user, client) => {
  const names: string[] = [];
  for (let left = user.random.int(1, 6); left > 0; left -= 1) names.push(await user.append(client, 'INBOX'));
  return names.join(', ');
};

const flag = withMessages(async (user, client, { uids }) => {
  const flags = user.someFlags();
  const adds = user.random.chance(0.5);
  if (adds) await client.messageFlagsAdd(uids, flags, byUid);
  else await client.messageFlagsRemove(uids, flags, byUid);
  return `${adds ? '+' : '-'}${flags.join(' ')}`;
});

const move = handling(async (user, client, { uids, names }) => {
  const target = await user.folder(client);
  user.ledger.put(names, target);
  await client.messageMove(uids, target, byUid);
  return `to ${target}`;
});

const copy = handling(async (user, client, { uids }) => {
  const target = await user.folder(client);
  await client.messageCopy(uids, target, byUid);
  return `to ${target}`;
});

const expunge = handling(async (user, client, some) => {
  for (const name of some.names) user.ledger.expunged.add(name);
  await client.messageDelete(some.uids, byUid);
  return '';
});

/** Away and back before anybody has looked twice. */
const bounce = handling(async (user, client, { uids, names, folder: from }) => {
  const target = await user.folder(client);
  user.ledger.put(names, target);
  user.ledger.put(names, from);
  const moved = await client.messageMove(uids, target, byUid);
  if (!moved || !moved.uidMap) return `to ${target}`;
  await client.mailboxOpen(target);
  await client.messageMove([...moved.uidMap.values()].join(','), from, byUid);
  return `to ${target} and back`;
});

const create: Act = async (user, client) => {
  const path = user.newFolder();
  await client.mailboxCreate(path);
  return path;
};

const rename = withFolder(async (user, client, path) => {
  user.ledger.doomedFolders.add(path);
  const target = user.newFolder();
  await client.mailboxRename(path, target);
  return `to ${target}`;
});

const remove = withFolder(async (user, client, path) => {
  user.ledger.foldersLost = true;
  await client.mailboxDelete(path);
  return '';
});

const renumbered = withFolder(async (user, client, path) => {
  const names = (await namedMessages(client, path)).map(({ name }) => name);
  user.ledger.handle(names, user.name);
  user.ledger.foldersLost = true;
  const messages = await renumber(client, path, `Restored ${user.random.int(0, 1e6)}`);
  return `${messages} messages`;
});

/** Any folder, the inbox too. */
const reset: Act = async (user, client) => {
  const path = await user.folder(client);
  await user.resetUids(path);
  return path;
};

/** With how often they happen. */
export const operations: readonly (readonly [Operation, number])[] = [
  [{ name: 'append', act: append }, 6],
  [{ name: 'deliver', act: deliver }, 4],
  [{ name: 'flag', act: flag }, 8],
  [{ name: 'move', act: move }, 6],
  [{ name: 'bounce', act: bounce }, 2],
  [{ name: 'copy', act: copy }, 4],
  [{ name: 'expunge', act: expunge }, 3],
  [{ name: 'create', act: create }, 3],
  [{ name: 'rename', act: rename }, 2],
  [{ name: 'delete', act: remove }, 1],
  [{ name: 'renumber', act: renumbered }, 1],
  [{ name: 'reset', act: reset }, 1],
];
