import type { ImapFlow } from 'imapflow';
import { Pool } from 'pg';

import { AccountWriter } from '#libs/changes/account-writer.js';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { ImapTally } from '../bench/live/imap-tally.js';
import { letter } from '../support/letters.js';
import { statementsOf } from '../support/statements.js';

describe('an account in which nothing happens', () => {
  let engine: Engine;
  let client: ImapFlow;
  let tally: ImapTally;
  let accountId: string;
  let statements: string[];

  beforeAll(async () => {
    engine = await Engine.start();
    statements = statementsOf(engine.app.get(Pool));
    client = await engine.client();
    for (const name of ['one', 'two', 'three']) await client.append('INBOX', letter({ name }), ['\\Seen']);
    tally = await ImapTally.to(engine.dovecot.imapPort);
    accountId = await engine.addAccount(tally.port);
    await engine.watch(accountId);
    await quiet();
  });
  afterAll(async () => {
    client?.close();
    await engine?.stop();
    tally?.close();
  });

  const rounds = () => tally.commands.filter((name) => name === 'LIST').length;
  const subjects = async () =>
    (await engine.rows<{ subject: string }>('SELECT subject FROM messages ORDER BY subject')).map((row) => row.subject);

  /** Until there was a round that the database heard nothing of. */
  async function quiet(): Promise<void> {
    let [seen, asked] = [-1, -1];
    await eventually('a quiet round', async () => {
      if (asked !== statements.length) [seen, asked] = [rounds(), statements.length];
      return rounds() >= seen + 2;
    });
  }

  it('is asked for, and the database is not', async () => {
    const [seen, asked] = [rounds(), statements.length];
    await eventually('some rounds', async () => rounds() >= seen + 3);
    expect(statements.slice(asked)).toEqual([]);
  });

  it.each(['first', 'second'])('shows what happens in another folder, the %s time', async (name) => {
    await quiet();
    await client.append('Archive', letter({ name, subject: name }));
    await eventually('the message', async () => (await subjects()).includes(name));
  });

  it('does what another process has left to do', async () => {
    await quiet();
    const before = await subjects();
    const [place] = await engine.rows<{ uid: string }>(
      `SELECT uid FROM message_uids JOIN messages ON messages.id = message_id WHERE subject = 'first'`,
    );
    await client.mailboxOpen('Archive');
    await client.messageDelete(place!.uid, { uid: true });
    await client.mailboxClose();
    expect(before).toContain('first');
    await eventually('its deletion', async () => !(await subjects()).includes('first'));
    await quiet();
    await engine.app.get(AccountWriter).write(accountId, async (tx) => {
      const [message] = await tx.query<{ id: string }>(
        `UPDATE messages SET orphaned_at = now() WHERE subject = 'second' RETURNING id`,
      );
      await tx.query('DELETE FROM message_uids WHERE message_id = $1', [message!.id]);
      tx.changes.record('modify', 'message', message!.id);
    });
    await eventually('the end of what has no place', async () => !(await subjects()).includes('second'));
  });

  it('hears of each message that comes, whatever came just before', async () => {
    await quiet();
    const asked = statements.length;
    for (const name of ['a', 'b', 'c']) {
      await client.append('INBOX', letter({ name, subject: name }));
      await eventually('the message', async () => (await subjects()).includes(name));
    }
    // A uid that nobody had yet would rest for some seconds.
    const rested = statements.slice(asked).filter((statement) => /INSERT INTO poison_uids/.test(statement));
    expect(rested).toEqual([]);
  });
});
