import { summarizeThread, type ThreadMessage } from './summarize-thread.js';

const ada = { name: 'Ada', email: 'ada@example.com' };
const bob = { name: '', email: 'bob@example.com' };

let count = 0;
const message = (fields: Partial<ThreadMessage> = {}): ThreadMessage => {
  count += 1;
  return {
    id: `m${count}`,
    subject: 'Lunch',
    snippet: `text ${count}`,
    from: [ada],
    to: [bob],
    cc: [],
    bcc: [],
    receivedAt: new Date(1_700_000_000_000 + count * 1000),
    unread: false,
    starred: false,
    draft: false,
    sent: false,
    hasAttachments: false,
    categoryIds: ['inbox1'],
    emails: ['ada@example.com', 'bob@example.com'],
    emailFields: [1, 2],
    ...fields,
  };
};
const view = (messages: ThreadMessage[], unseen = false) =>
  JSON.parse(`${summarizeThread('a1', 't1', unseen, messages).rendered}}`) as Record<string, unknown>;

describe('summarizeThread', () => {
  it('takes the subject from the oldest and the snippet from the newest message', () => {
    const [first, last] = [message({ subject: 'Lunch' }), message({ subject: 'Re: Lunch', snippet: 'Noon.' })];
    expect(view([first, last])).toMatchObject({ subject: 'Lunch', snippet: 'Noon.', message_ids: [first.id, last.id] });
  });

  it('keeps drafts out of dates and snippet while there is mail', () => {
    const letter = message();
    const draft = message({ draft: true });
    expect(view([letter, draft])).toMatchObject({
      last_message_timestamp: Math.floor(letter.receivedAt.getTime() / 1000),
      snippet: letter.snippet,
      message_ids: [letter.id],
      draft_ids: [draft.id],
    });
    expect(view([draft])).toMatchObject({ snippet: draft.snippet, message_ids: [] });
  });

  it('drops the nameless spelling of an address that also stands with a name, and keeps two names', () => {
    const support = (name: string) => ({ name, email: 'Support@example.com' });
    const people = view([
      message({ from: [support('')], to: [bob] }),
      message({ from: [support('Jon')], to: [support('Mark')] }),
    ]).participants;
    expect(people).toEqual([support('Jon'), support('Mark'), bob]);
  });

  it('lists the thread under its folders and states', () => {
    const summary = summarizeThread('a1', 't1', true, [
      message({ unread: true, hasAttachments: true }),
      message({ sent: true, categoryIds: ['sent1'] }),
    ]);
    expect(summary.categories).toEqual(['attachment', 'inbox1', 'sent', 'sent1', 'unread', 'unseen']);
    expect(summary).toMatchObject({ messageCount: 2, unreadCount: 1, starredCount: 0 });
  });

  it('knows who stands in which fields', () => {
    const answer = message({ emails: ['bob@example.com', 'ada@example.com'], emailFields: [1, 2] });
    expect([...summarizeThread('a1', 't1', false, [message(), answer]).emails]).toEqual([
      ['ada@example.com', 3],
      ['bob@example.com', 3],
    ]);
  });

  it('tells received from sent mail', () => {
    const [received, sent] = [message(), message({ sent: true })];
    expect(view([received, sent])).toMatchObject({
      last_message_received_timestamp: Math.floor(received.receivedAt.getTime() / 1000),
      last_message_sent_timestamp: Math.floor(sent.receivedAt.getTime() / 1000),
    });
    expect(view([received])).toMatchObject({ last_message_sent_timestamp: null });
  });
});
