import { idIn } from '#libs/domain/messages/own-message-id.js';

import type { ApiOperation, ApiUser } from './api-user.js';
import { type ApiMessage, nameOf } from './api-view.js';
import { newFolderName } from './mail-user.js';

type Act = ApiOperation['act'];

interface Folder {
  readonly id: string;
  readonly name: string | null;
  readonly display_name: string;
}

interface Thread {
  readonly id: string;
  readonly message_ids: readonly string[];
}

interface Draft extends ApiMessage {
  readonly version: number;
}

const NOTHING = 'nothing there';
/** So many of the newest are chosen from. */
const MOST = 30;

function withOne<T>(path: string, act: (user: ApiUser, one: T) => Promise<string>): Act {
  return async (user) => {
    const all = await user.list<T>(path);
    return all.length > 0 ? act(user, user.random.pick(all)) : NOTHING;
  };
}

const withThread = (act: (user: ApiUser, thread: Thread) => Promise<string>) => withOne(`/threads?limit=${MOST}`, act);

const withDraft = (act: (user: ApiUser, draft: Draft) => Promise<string>) =>
  withOne<Draft>(`/drafts?view=expanded&limit=${MOST}`, act);

/** Does something to some draft after which it is not what it was. */
const rewriting = (act: (user: ApiUser, draft: Draft) => Promise<string>) =>
  withDraft((user, draft) => {
    user.ledger.rewritten.add(nameOf(draft));
    return act(user, draft);
  });

async function withOwnFolder(user: ApiUser, act: (folder: Folder) => Promise<string>): Promise<string> {
  const own = (await user.list<Folder>('/folders')).filter(({ name }) => name === null);
  return own.length > 0 ? act(user.random.pick(own)) : NOTHING;
}

function someFlags({ random }: ApiUser): object {
  const [unread, starred] = [random.chance(0.5), random.chance(0.5)];
  return random.pick([{ unread }, { starred }, { unread, starred }]);
}

async function someFolder(user: ApiUser): Promise<Folder> {
  return user.random.pick(await user.list<Folder>('/folders'));
}

const flag = withOne<string>(`/messages?view=ids&limit=${MOST}`, async (user, id) => {
  const flags = someFlags(user);
  await user.done('PUT', `/messages/${id}`, flags);
  return `${id} ${JSON.stringify(flags)}`;
});

const move: Act = async (user) => {
  const ids = await user.list<string>(`/messages?view=ids&limit=${MOST}`);
  if (ids.length === 0) return NOTHING;
  const first = user.random.int(0, ids.length - 1);
  const chosen = ids.slice(first, first + user.random.int(1, 4));
  const folder = await someFolder(user);
  for (const id of chosen) {
    user.ledger.moved.add(id);
    await user.done('PUT', `/messages/${id}`, { folder_id: folder.id });
  }
  return `${chosen.join()} to ${folder.display_name}`;
};

const flagThread = withThread(async (user, { id }) => {
  const flags = someFlags(user);
  await user.done('PUT', `/threads/${id}`, flags);
  return `${id} ${JSON.stringify(flags)}`;
});

const moveThread = withThread(async (user, { id, message_ids: messages }) => {
  const folder = await someFolder(user);
  for (const message of messages) user.ledger.moved.add(message);
  await user.done('PUT', `/threads/${id}`, { folder_id: folder.id });
  return `${id} to ${folder.display_name}`;
});

/** What is added, and what is taken off. */
const tagChanges: readonly (readonly [add: readonly string[], remove: readonly string[]])[] = [
  [['starred'], []],
  [[], ['starred']],
  [['unread'], []],
  [[], ['unread']],
  [['inbox'], []],
  [[], ['inbox', 'unread']],
  [['archive'], []],
  [['trash'], []],
  [[], ['trash']],
  [['spam'], []],
];

const tag = withThread(async (user, { id, message_ids: messages }) => {
  const [added, removed] = user.random.pick(tagChanges);
  const own = user.random.chance(0.5) ? [await user.ownTag()] : [];
  const [add, remove] = user.random.chance(0.6) ? [[...added, ...own], removed] : [added, [...removed, ...own]];
  for (const message of messages) user.ledger.moved.add(message);
  await user.changeTags(id, { add_tags: add, remove_tags: remove });
  return `${id} +${add.join()} -${remove.join()}`;
});

const createFolder: Act = async (user) => {
  const name = newFolderName(user.random);
  await user.done('POST', '/folders', { display_name: name });
  return name;
};

const renameFolder: Act = (user) =>
  withOwnFolder(user, async ({ id, display_name: before }) => {
    const name = newFolderName(user.random);
    user.ledger.doomedFolders.add(before);
    await user.done('PUT', `/folders/${id}`, { display_name: name });
    return `${before} to ${name}`;
  });

const deleteFolder: Act = (user) =>
  withOwnFolder(user, async ({ id, display_name: name }) => {
    user.ledger.doomedFolders.add(name);
    await user.done('DELETE', `/folders/${id}`, {});
    return name;
  });

/** To the user, as an answer or not. */
async function written(user: ApiUser, mark: string): Promise<object> {
  const body = `<p>${'x'.repeat(user.random.logUniform(1, 5000))}</p>`;
  const text = { body, to: [{ email: user.address, name: mark }] };
  const messages = user.random.chance(0.4) ? await user.list<string>(`/messages?view=ids&limit=${MOST}`) : [];
  if (messages.length === 0) return { ...text, subject: `Topic ${mark}` };
  return { ...text, reply_to_message_id: user.random.pick(messages) };
}

const createDraft: Act = async (user) => {
  const { id } = await user.done<Draft>('POST', '/drafts', await written(user, user.newMark()));
  user.ledger.drafts.add(id);
  return id;
};

const updateDraft = rewriting(async (user, { id, version }) => {
  const body = `<p>Version after ${version}</p>`;
  await user.done('PUT', `/drafts/${id}`, { version, body, to: [{ email: user.address }] });
  user.ledger.drafts.add(id);
  return `${id} after ${version}`;
});

const deleteDraft = rewriting(async (user, { id, version }) => {
  user.ledger.drafts.delete(id);
  await user.done('DELETE', `/drafts/${id}`, { version });
  return id;
});

const sendDraft = withDraft(async (user, draft) => {
  const { id, version } = draft;
  // Another program's gets a Message-ID of ours.
  if (idIn(nameOf(draft)) === null) user.ledger.rewritten.add(nameOf(draft));
  return user.send({ draft_id: id, version }, null);
});

const sendNew: Act = async (user) => {
  const mark = user.newMark();
  return user.send(await written(user, mark), mark);
};

/** With how often they happen. */
export const apiOperations: readonly (readonly [ApiOperation, number])[] = [
  [{ name: 'flags', act: flag }, 6],
  [{ name: 'moves', act: move }, 6],
  [{ name: 'flags thread', act: flagThread }, 3],
  [{ name: 'moves thread', act: moveThread }, 3],
  [{ name: 'tags', act: tag }, 4],
  [{ name: 'creates folder', act: createFolder }, 2],
  [{ name: 'renames folder', act: renameFolder }, 2],
  [{ name: 'deletes folder', act: deleteFolder }, 2],
  [{ name: 'creates draft', act: createDraft }, 4],
  [{ name: 'updates draft', act: updateDraft }, 4],
  [{ name: 'deletes draft', act: deleteDraft }, 1],
  [{ name: 'sends draft', act: sendDraft }, 2],
  [{ name: 'sends', act: sendNew }, 2],
];
