import { AccountWriter } from '#libs/changes/account-writer.js';
import { becomeSent } from '#libs/sync/send/sent-message.js';

import { DraftAuthor, subjectsOf } from '../support/draft-author.js';
import type { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { letter } from '../support/letters.js';
import { servers } from '../support/meddling.js';

/** The end of it, as it is written in a message. */
const lastOf = (content: string): string => Buffer.from(content).toString('base64').slice(-4);

describe.each([servers[0], servers[2]])('drafts that others write to, on a server with %s', (_, dovecot) => {
  let engine: Engine;
  let author: DraftAuthor;
  let number = 0;

  beforeAll(async () => {
    author = await DraftAuthor.start({ dovecot });
    ({ engine } = author.account);
  });
  afterAll(() => author?.account.stop());
  beforeEach(() => author.beginAnew(['Drafts', 'Sent']));

  const name = () => `Plan ${++number}`;
  const drafts = async () => (await author.shown()).map(({ id, subject, version }) => ({ id, subject, version }));
  const saved = async () => subjectsOf(await author.saved());

  it('are what another mail program made of them, and that goes on under the same Message-ID', async () => {
    const id = await author.create(name());
    await author.rest();
    await author.editElsewhere('Edited');
    expect(await author.account.told(() => author.rest())).toEqual(['modify draft', 'modify thread']);
    expect(await drafts()).toEqual([{ id, subject: 'Edited', version: 1 }]);
    await author.editElsewhere('Edited twice');
    await author.rest();
    expect(await drafts()).toEqual([{ id, subject: 'Edited twice', version: 2 }]);
    expect(await saved()).toEqual(['Edited twice']);
    expect(await author.account.states()).toEqual(['successful']);
    await author.update(id, 2, { subject: 'Mine again' });
    await author.rest();
    expect(await drafts()).toEqual([{ id, subject: 'Mine again', version: 3 }]);
    expect(await saved()).toEqual(['Mine again']);
  });

  it('stay as they are when their folder is renumbered, edited elsewhere or not', async () => {
    const [first, second] = [await author.create('First'), await author.create('Second')];
    await author.rest();
    const { client } = author.account;
    await client.mailboxOpen('Drafts');
    const uids = await client.search({ subject: 'First' }, { uid: true });
    const source = (await author.saved()).find((it) => it.includes('Subject: First'))!;
    await client.append('Drafts', source.replace('Subject: First', 'Subject: Edited'), ['\\Draft']);
    await client.messageDelete(uids || [], { uid: true });
    await author.rest();
    const before = await drafts();
    expect(before).toEqual([
      { id: first, subject: 'Edited', version: 1 },
      { id: second, subject: 'Second', version: 0 },
    ]);
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    await author.rest();
    expect(await drafts()).toEqual(before);
    expect((await saved()).toSorted()).toEqual(['Edited', 'Second']);
  });

  it('are what they were when another mail program takes its edit back; a late worker does not do that', async () => {
    const subject = name();
    const id = await author.create(subject);
    await author.rest();
    const { client } = author.account;
    const [ours = ''] = await author.saved();
    const edited = await author.editElsewhere('Edited');
    await author.rest();
    const date = new Date(/^Date: (.*)$/m.exec(ours)![1]!);
    await client.append('Drafts', ours, ['\\Draft'], date);
    await author.rest();
    expect([await drafts(), await saved()]).toEqual([[{ id, subject: 'Edited', version: 1 }], ['Edited']]);
    // Within that second it would be dated as we date.
    await eventually('the next second', () => Date.now() >= date.getTime() + 1000);
    const back = await author.editElsewhere(subject);
    expect(back.replace(`Subject: ${subject}`, 'Subject: Edited')).toBe(edited);
    await author.rest();
    expect([await drafts(), await saved()]).toEqual([[{ id, subject, version: 2 }], [subject]]);
  });

  it('stay what was made of them last when their folder is renumbered and older edits lie there still', async () => {
    const id = await author.create(name());
    await author.rest();
    const edited = await author.editElsewhere('Older');
    await author.rest();
    await author.account.client.append('Drafts', edited.replace('Subject: Older', 'Subject: Newer'), ['\\Draft']);
    await author.rest();
    expect(await drafts()).toEqual([{ id, subject: 'Newer', version: 2 }]);
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    await author.rest();
    expect(await drafts()).toEqual([{ id, subject: 'Newer', version: 2 }]);
  });

  it.each([
    ['short', 'text/plain', 'ABC'],
    ['long', 'application/pdf', `${'long '.repeat(20_000)}ABC`],
    ['a message', 'message/rfc822', 'Subject: Attached\n\nABC'],
  ])('are edited when another file of that name is attached, as long as it was: %s', async (_name, type, content) => {
    const id = await author.create('With a file', { fileIds: [await author.upload('plan', type, content)] });
    await author.rest();
    // Not edited, and seen to be so.
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    expect(await author.account.told(() => author.rest())).toEqual([]);
    const end = type.startsWith('message') ? ['ABC', 'XYZ'] : [content, content.replace('ABC', 'XYZ')].map(lastOf);
    await author.replaceElsewhere(end[0]!, end[1]!);
    expect(await author.account.told(() => author.rest())).toContain('modify draft');
    expect(await drafts()).toEqual([{ id, subject: 'With a file', version: 1 }]);
    await author.update(id, 1, { subject: 'Changed here' });
    await author.rest();
    expect((await author.saved())[0]).toContain(end[1]);
    // What was taken over is not news when its folder is read anew.
    await author.replaceElsewhere(end[1]!, end[0]!);
    await author.rest();
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    expect(await author.account.told(() => author.rest())).toEqual([]);
    expect(await drafts()).toEqual([{ id, subject: 'Changed here', version: 3 }]);
  });

  it('are two where they were changed here and elsewhere: nothing is lost', async () => {
    const id = await author.create(name());
    await author.rest();
    await author.update(id, 0, { subject: 'Changed here' });
    await author.editElsewhere('Changed elsewhere');
    await author.account.act();
    await author.rest();
    expect(await drafts()).toEqual([
      { id, subject: 'Changed here', version: 1 },
      { id: expect.any(String), subject: 'Changed elsewhere', version: 0 },
    ]);
    expect((await saved()).toSorted()).toEqual(['Changed elsewhere', 'Changed here']);
    // The other one is a draft of its own, whatever becomes of the first.
    await author.update(id, 1, { subject: 'Changed again' });
    await author.rest();
    expect((await saved()).toSorted()).toEqual(['Changed again', 'Changed elsewhere']);
    await author.remove(id);
    await author.rest();
    expect(await saved()).toEqual(['Changed elsewhere']);
    expect((await drafts()).map(({ subject }) => subject)).toEqual(['Changed elsewhere']);
  });

  it('are kept as they were made elsewhere when they are deleted here in the same moment', async () => {
    const id = await author.create(name());
    await author.rest();
    await author.editElsewhere('Still wanted');
    await author.remove(id);
    await author.account.act();
    await author.rest();
    expect(await saved()).toEqual(['Still wanted']);
    expect((await drafts()).map(({ subject }) => subject)).toEqual(['Still wanted']);
  });

  it('become the message that another mail program sent, as it sent it', async () => {
    const id = await author.create(name());
    await author.rest();
    const edited = await author.editElsewhere('As it was sent');
    await author.empty('Drafts');
    await author.account.client.append('Sent', edited, ['\\Seen']);
    await author.rest();
    expect(await author.shown()).toEqual([expect.objectContaining({ id, subject: 'As it was sent', draft: false })]);
  });

  it('are not changed by it while they wait to be sent: that is another draft', async () => {
    const id = await author.create(name());
    await author.rest();
    await engine.rows(`INSERT INTO sends (account_id, id, message_id, state) VALUES ($1, 'later', $2, 'scheduled')`, [
      author.account.id,
      id,
    ]);
    const [{ subject } = { subject: '' }] = await drafts();
    await author.editElsewhere('Second thoughts');
    await author.rest();
    expect((await drafts()).map((it) => it.subject).toSorted()).toEqual([subject, 'Second thoughts'].toSorted());
    expect(await drafts()).toContainEqual({ id, subject, version: 0 });
    // Its own copy is there again.
    expect((await saved()).toSorted()).toEqual([subject, 'Second thoughts'].toSorted());
    await engine.rows(`DELETE FROM sends`);
  });

  it('that had been sent are as they were when the folder is renumbered, and when what came back lies in Sent', async () => {
    const id = await author.create(name());
    await author.rest();
    await engine.app.get(AccountWriter).write(author.account.id, (tx) => becomeSent(tx, id, null, { saveCopy: true }));
    await author.rest();
    const { client } = author.account;
    const [source] = await author.saved('Sent');
    await client.messageMove('1:*', 'Drafts');
    await client.append('INBOX', `Received: from here by there\r\n${source}`);
    await author.rest();
    const before = await author.shown();
    expect(before).toEqual([expect.objectContaining({ id, draft: true }), expect.objectContaining({ draft: false })]);
    await engine.rows(`UPDATE folder_syncs SET cursor = jsonb_set(cursor, '{uidValidity}', '"1"')`);
    expect(await author.account.told(() => author.rest())).toEqual([]);
    await client.mailboxOpen('INBOX');
    await client.messageMove('1:*', 'Sent');
    expect(await author.account.told(() => author.rest())).toEqual(['modify message', 'modify thread']);
    expect(await author.shown()).toEqual(before);
  });

  it('are kept as they were changed here when their copy leaves, and letters that they were copies of stay', async () => {
    const { client } = author.account;
    const subject = name();
    await client.append('INBOX', letter({ name: subject.replace(' ', '-'), subject }));
    await client.mailboxOpen('INBOX');
    await client.messageCopy('1:*', 'Drafts');
    await author.rest();
    const [{ id } = { id: '' }] = await author.shown();
    await author.update(id, 0, { subject: 'Changed here' });
    await client.mailboxOpen('Drafts');
    await client.messageMove('1:*', 'Archive');
    await author.rest();
    expect(subjectsOf(await author.saved())).toEqual(['Changed here']);
    expect(subjectsOf(await author.saved('INBOX'))).toEqual([subject]);
    expect(await author.shown()).toEqual([
      expect.objectContaining({ id, subject: 'Changed here', version: 1, draft: true }),
      expect.objectContaining({ subject, draft: false }),
    ]);
    expect(await author.account.states()).toEqual(['successful']);
    for (const folder of ['INBOX', 'Archive']) await author.empty(folder);
  });
});
