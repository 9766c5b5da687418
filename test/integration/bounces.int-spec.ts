import { AccountWriter } from '#libs/changes/account-writer.js';
import { newId } from '#libs/common/ids.js';
import { becomeSent } from '#libs/sync/send/sent-message.js';

import { ActingAccount } from '../support/acting-account.js';
import type { Engine } from '../support/engine.js';
import { bounce, messageId } from '../support/letters.js';

describe('a report of a failed delivery that comes before the message it tells of', () => {
  let engine: Engine;
  let account: ActingAccount;

  beforeAll(async () => {
    account = await ActingAccount.start();
    ({ engine } = account);
  });
  afterAll(() => account?.stop());

  const failures = async (subject: string) => {
    const rows = await engine.rows<{ failures: unknown }>(
      'SELECT delivery_failures AS failures FROM messages WHERE subject = $1',
      [subject],
    );
    return rows.map((row) => row.failures);
  };
  const returned = async (name: string) => {
    await account.client.append('INBOX', bounce(`report-${name}`, messageId(name)));
    await account.round();
    const { id } = (await account.message(`report-${name}`))!;
    return [[expect.objectContaining({ recipient: 'bob@example.net', status: '5.1.1', message_id: id })]];
  };
  const waiting = () => engine.rows('SELECT report_id FROM waiting_reports');

  it('is noted when the message is read from the sent mail', async () => {
    const expected = await returned('late');
    expect(await waiting()).toHaveLength(1);
    const told = await account.told(() => account.deliver('Sent', 'late'));
    expect(await failures('late')).toEqual(expected);
    expect(told).toContain('create message');
    expect(await waiting()).toEqual([]);
  });

  it('is noted when it turns out that the message was sent', async () => {
    const expected = await returned('dark');
    const people = { from: [], to: [], cc: [], bcc: [], replyTo: [] };
    const headers = { messageIdHeader: messageId('dark').slice(1, -1), inReplyTo: null, references: [] };
    const content = { id: newId(), threadId: null, ...headers, subject: 'dark', body: '', ...people, files: [] };
    await engine.app
      .get(AccountWriter)
      .write(account.id, (tx) => becomeSent(tx, content.id, content, { saveCopy: false }));
    expect(await failures('dark')).toEqual(expected);
    expect(await waiting()).toEqual([]);
    const logged = await engine.rows(`SELECT message FROM account_events WHERE kind = 'message.bounced'`);
    expect(logged).toEqual(Array(2).fill({ message: 'A message could not be delivered to a recipient.' }));
  });

  it('says nothing of mail that was not sent from here, and does not wait for ever', async () => {
    await returned('received');
    await account.deliver('INBOX', 'received');
    expect(await failures('received')).toEqual([null]);
    await engine.rows(`UPDATE waiting_reports SET created_at = now() - interval '31 days'`);
    await engine.rows(
      `INSERT INTO waiting_reports (account_id, message_id_header, report_id, failures, received_at, fresh)
       SELECT $1, 'never@example.com', 'r' || n, '[]', now(), false FROM generate_series(1, 1200) AS n`,
      [account.id],
    );
    await returned('last');
    expect(await waiting()).toHaveLength(1000);
    await account.deliver('Sent', 'last');
    expect((await failures('last'))[0]).toHaveLength(1);
  });
});
