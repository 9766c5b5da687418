import { hash64 } from '#libs/common/hash.js';

import {
  assignThreads,
  keyed,
  MAX_THREAD_MESSAGES,
  type SubjectCandidate,
  type ThreadableMessage,
  type ThreadingFacts,
} from './assign-threads.js';

const day = 86_400_000;
const message = (id: string, fields: Partial<ThreadableMessage> = {}): ThreadableMessage => ({
  id,
  messageIdHeader: `${id}@x`,
  inReplyTo: null,
  references: [],
  providerThreadId: null,
  baseSubject: id,
  hasReplyPrefix: false,
  emails: ['me@x', 'ada@x'],
  receivedAt: new Date(1_700_000_000_000),
  ...fields,
});
const facts = (fields: Partial<ThreadingFacts> = {}): ThreadingFacts => ({
  refs: new Map(),
  sizes: new Map(),
  candidates: [],
  owner: 'me@x',
  ...fields,
});
/** Groups of messages that ended up together, whatever the threads are called. */
const groups = (batch: ThreadableMessage[], given = facts()) => {
  const byThread = new Map<string, string[]>();
  for (const [id, thread] of assignThreads(batch.map(keyed), given).threadOf) {
    byThread.set(thread, [...(byThread.get(thread) ?? []), id].toSorted());
  }
  return [...byThread.values()].toSorted();
};

describe('assignThreads', () => {
  const parent = message('parent');
  const reply = message('reply', { references: ['parent@x'] });
  const grandchild = message('grandchild', { references: ['parent@x', 'reply@x'], inReplyTo: 'reply@x' });

  it('joins by reference in any order of arrival', () => {
    for (const order of [
      [parent, reply, grandchild],
      [grandchild, reply, parent],
      [reply, grandchild, parent],
    ]) {
      expect(groups(order)).toEqual([['grandchild', 'parent', 'reply']]);
    }
  });

  it('joins siblings whose parent was never seen', () => {
    const siblings = ['one', 'two'].map((id) => message(id, { inReplyTo: 'lost@x' }));
    expect(groups(siblings)).toEqual([['one', 'two']]);
  });

  it('merges two stored threads when a message proves them one; the older id survives', () => {
    const refs = new Map([
      [hash64('a@x'), '0older'],
      [hash64('b@x'), '1newer'],
    ]);
    const sizes = new Map([
      ['0older', 2],
      ['1newer', 3],
    ]);
    const outcome = assignThreads([keyed(message('bridge', { references: ['a@x', 'b@x'] }))], facts({ refs, sizes }));
    expect(outcome.threadOf.get('bridge')).toBe('0older');
    expect(outcome.merges).toEqual(new Map([['1newer', '0older']]));
    expect(outcome.refs.get(hash64('b@x'))).toBe('0older');
    expect(outcome.begun.size).toBe(0);
  });

  it('does not merge beyond the cap: it goes on in the newest thread, or begins one', () => {
    const refs = new Map([
      [hash64('a@x'), '0full'],
      [hash64('b@x'), '1continued'],
    ]);
    const bridge = message('bridge', { references: ['a@x', 'b@x'] });
    const some = assignThreads(
      [keyed(bridge)],
      facts({
        refs,
        sizes: new Map([
          ['0full', MAX_THREAD_MESSAGES],
          ['1continued', 3],
        ]),
      }),
    );
    expect(some.threadOf.get('bridge')).toBe('1continued');
    expect(some.merges.size).toBe(0);
    const full = new Map([
      ['0full', MAX_THREAD_MESSAGES],
      ['1continued', MAX_THREAD_MESSAGES],
    ]);
    expect(assignThreads([bridge].map(keyed), facts({ refs, sizes: full })).begun.size).toBe(1);
  });

  describe('replies without references', () => {
    const original = message('original', { baseSubject: 'lunch' });
    const loose = message('loose', {
      baseSubject: 'lunch',
      hasReplyPrefix: true,
      receivedAt: new Date(1_700_000_000_000 + day),
    });

    it('join an original with the same base subject and a shared correspondent, whichever comes first', () => {
      expect(groups([original, loose])).toEqual([['loose', 'original']]);
      expect(groups([loose, original])).toEqual([['loose', 'original']]);
    });

    it.each([
      ['nobody but the owner is shared', { emails: ['me@x', 'eve@x'] }],
      ['more than 30 days lie between', { receivedAt: new Date(1_700_000_000_000 + 31 * day) }],
      ['the subject differs', { baseSubject: 'dinner' }],
      ['it carries no reply prefix', { hasReplyPrefix: false }],
      ['it refers to another conversation', { references: ['elsewhere@x'] }],
      ['the subject is empty', { baseSubject: '' }],
    ])('stay apart when %s', (_why, fields) => {
      expect(groups([original, { ...loose, ...fields }])).toHaveLength(2);
    });

    it('do not answer a later message', () => {
      expect(groups([{ ...original, receivedAt: new Date(1_700_000_000_000 + 2 * day) }, loose])).toHaveLength(2);
    });

    it('find stored candidates', () => {
      const candidate: SubjectCandidate = {
        threadId: '0stored',
        subjectKey: hash64('lunch'),
        emails: ['ada@x'],
        receivedAt: original.receivedAt,
        looseReply: false,
      };
      const outcome = assignThreads(
        [loose].map(keyed),
        facts({ candidates: [candidate], sizes: new Map([['0stored', 1]]) }),
      );
      expect(outcome.threadOf.get('loose')).toBe('0stored');
    });
  });

  it('keeps a changed subject in its thread when it has references', () => {
    expect(
      groups([parent, message('other', { references: ['parent@x'], baseSubject: 'quite another matter' })]),
    ).toHaveLength(1);
  });

  it('follows the provider where it names threads', () => {
    const [one, two] = ['one', 'two'].map((id) => message(id, { providerThreadId: 'gmail:7' })) as [
      ThreadableMessage,
      ThreadableMessage,
    ];
    expect(groups([one, two])).toHaveLength(1);
  });
});
