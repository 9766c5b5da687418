import { MailStore, readMessage } from '../support/mail-store.js';

interface Letter {
  readonly name: string;
  readonly subject: string;
  readonly from?: string;
  readonly to?: string;
  readonly headers?: readonly string[];
}

const answering = (...names: string[]) => [
  `In-Reply-To: <${names.at(-1)}@x>`,
  `References: ${names.map((name) => `<${name}@x>`).join(' ')}`,
];
const text = ({ name, subject, from = 'Ada <ada@x>', to = 'me@x', headers = [] }: Letter) =>
  [`Message-ID: <${name}@x>`, `From: ${from}`, `To: ${to}`, `Subject: ${subject}`, ...headers, '', 'Hello.', ''].join(
    '\n',
  );

describe('threads of mail as it arrives', () => {
  let store: MailStore;
  let uid = 0;

  beforeEach(async () => {
    store = await MailStore.create({ INBOX: 'inbox', Drafts: 'drafts' });
  });
  afterEach(() => store.stop());

  /** Stores one letter. @returns what was told of it: messages by name, threads by the order in which they began */
  const arrives = async (letter: Letter, folder = 'INBOX'): Promise<string[]> => {
    const seq = await store.lastSeq();
    const known = await store.rows<{ id: string }>('SELECT id FROM threads ORDER BY id');
    await store.ingest(folder, [readMessage((uid += 1), text(letter))]);
    const names = new Map(
      (await store.rows<{ id: string; name: string }>('SELECT id, message_id_header AS name FROM messages')).map(
        ({ id, name }) => [id, name.replace('@x', '')],
      ),
    );
    const threads = [...known, ...(await store.rows<{ id: string }>('SELECT id FROM threads ORDER BY id'))];
    const order = [...new Set(threads.map(({ id }) => id))];
    const changes = await store.rows<{ event: string; object_type: string; object_id: string }>(
      'SELECT event, object_type, object_id FROM changes WHERE seq > $1 ORDER BY seq',
      [seq],
    );
    return changes
      .map(({ event, object_type: type, object_id: id }) => `${event} ${type} ${names.get(id) ?? order.indexOf(id)}`)
      .toSorted();
  };

  it('let a parent in that comes late', async () => {
    await arrives({ name: 'reply', subject: 'Re: Plan', headers: answering('parent') });
    await arrives({ name: 'second', subject: 'Re: Plan', from: 'eve@x', headers: answering('parent', 'lost') });
    expect(await arrives({ name: 'parent', subject: 'Plan' })).toEqual(['create message parent', 'modify thread 0']);
    expect(await store.threads()).toEqual([['parent@x', 'reply@x', 'second@x']]);
  });

  it('become one when a message proves it: the oldest stays, and everything is told', async () => {
    await arrives({ name: 'a', subject: 'Plan' });
    await arrives({ name: 'c', subject: 'Re: Plan', headers: answering('b') });
    await arrives({ name: 'd', subject: 'Re: Plan', headers: answering('b', 'c') });
    await arrives({ name: 'e', subject: 'Re: Plan', headers: answering('lost') });
    const before = await store.rows<{ id: string }>('SELECT id FROM threads ORDER BY id');
    expect(before).toHaveLength(3);

    expect(await arrives({ name: 'b', subject: 'Re: Plan', headers: answering('a', 'lost') })).toEqual([
      'create message b',
      'delete thread 1',
      'delete thread 2',
      'modify message c',
      'modify message d',
      'modify message e',
      'modify thread 0',
    ]);
    expect(await store.rows('SELECT id, message_count FROM threads')).toEqual([
      { id: before[0]!.id, message_count: 5 },
    ]);
    // Whoever refers to one of those that were swallowed finds the one that stayed.
    expect(await arrives({ name: 'f', subject: 'Re: Plan', headers: answering('e') })).toEqual([
      'create message f',
      'modify thread 0',
    ]);
  });

  it('tell of a draft as of a draft when its thread becomes another', async () => {
    await arrives({ name: 'a', subject: 'Plan' });
    await arrives({ name: 'c', subject: 'Re: Plan', headers: answering('b') }, 'Drafts');
    expect(await arrives({ name: 'b', subject: 'Re: Plan', headers: answering('a') })).toEqual([
      'create message b',
      'delete thread 1',
      'modify draft c',
      'modify thread 0',
    ]);
  });

  it('keep a message with references whose subject was changed', async () => {
    await arrives({ name: 'a', subject: 'Plan' });
    const other = { name: 'b', subject: 'Lunch (was: Plan)', from: 'eve@x', headers: answering('a') };
    expect(await arrives(other)).toEqual(['create message b', 'modify thread 0']);
  });

  it.each([
    ['strangers', 'Invoice', 'eve@x'],
    ['the same people', 'Invoice', 'Ada <ada@x>'],
    ['strangers who seem to answer', 'Re: Invoice', 'eve@x'],
  ])('do not join by subject alone: %s', async (_who, subject, from) => {
    await arrives({ name: 'a', subject: 'Invoice' });
    expect(await arrives({ name: 'b', subject, from })).toEqual(['create message b', 'create thread 1']);
  });
});
