import { AccountWriter } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { becomeSent } from '#libs/sync/send/sent-message.js';

import { ActingAccount } from '../support/acting-account.js';
import type { Engine } from '../support/engine.js';
import { answering, letter } from '../support/letters.js';

describe('a message that came back before it was known to be sent', () => {
  let engine: Engine;
  let account: ActingAccount;

  beforeAll(async () => {
    account = await ActingAccount.start();
    ({ engine } = account);
  });
  afterAll(() => account?.stop());

  it('is in one thread with what came back, and with the answers to it', async () => {
    const [returned] = await account.deliver('INBOX', 'returned');
    await account.client.append(
      'INBOX',
      letter({ name: 'answer', subject: 'Re: returned', headers: answering('returned') }),
    );
    await account.round();
    const id = newId();
    const people = { from: [], to: [], cc: [], bcc: [], replyTo: [] };
    const letters = { messageIdHeader: 'returned@mail.example', inReplyTo: null, references: [], subject: 'returned' };
    const content = { id, threadId: null, ...letters, body: '', ...people, files: [] };
    await engine.app.get(AccountWriter).write(account.id, (tx) => becomeSent(tx, id, content, { saveCopy: false }));
    const rows = await engine.rows<{ id: string; thread_id: string }>('SELECT id, thread_id FROM messages');
    expect(rows.map((row) => row.id)).toEqual(expect.arrayContaining([returned, id]));
    expect(new Set(rows.map((row) => row.thread_id)).size).toBe(1);
    expect(await engine.rows('SELECT message_count FROM threads')).toEqual([{ message_count: 3 }]);
  });
});
