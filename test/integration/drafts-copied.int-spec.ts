import { DraftAuthor, subjectsOf } from '../support/draft-author.js';
import type { Engine } from '../support/engine.js';
import { letter } from '../support/letters.js';
import { refusing, servers } from '../support/meddling.js';

describe.each([servers[0], servers[2]])('drafts that lie elsewhere, too, on a server with %s', (_, dovecot) => {
  let engine: Engine;
  let author: DraftAuthor;

  beforeAll(async () => {
    author = await DraftAuthor.start({ dovecot });
    ({ engine } = author.account);
  });
  afterAll(() => author?.account.stop());
  beforeEach(() => author.beginAnew(['Drafts', 'Archive', 'INBOX']));

  const copy = async (from: string, to: string) => {
    await author.account.client.mailboxOpen(from);
    await author.account.client.messageCopy('1:*', to);
    await author.rest();
  };
  const saved = async (folder: string) => subjectsOf(await author.saved(folder));
  const shown = async () => (await author.shown()).map(({ id, draft }) => ({ id, draft }));

  it('are messages from then on where somebody copied them to, when they are deleted', async () => {
    const id = await author.create('Copied');
    await author.rest();
    await copy('Drafts', 'Archive');
    expect(await shown()).toEqual([{ id, draft: true }]);
    const told = await author.account.told(() => author.remove(id));
    expect(told).toEqual(['delete draft', 'create message', 'modify thread']);
    // A pass that finds the copy among the drafts before it is removed does not take that for news.
    expect(await author.account.told(() => author.account.round())).toEqual([]);
    expect(await author.account.told(() => author.rest())).toEqual([]);
    expect([await saved('Drafts'), await saved('Archive'), await shown()]).toEqual([
      [],
      ['Copied'],
      [{ id, draft: false }],
    ]);
    expect((await author.account.message('Copied'))?.folders).toEqual(['Archive']);
  });

  it('stay letters where they were copied from, and are drafts again when the provider does not delete them', async () => {
    await author.account.client.append('INBOX', letter({ name: 'copied', subject: 'Letter' }));
    await copy('INBOX', 'Drafts');
    const [{ id } = { id: '' }] = await author.shown();
    await author.remove(id);
    for (let time = 0; time < 3; time += 1) {
      await author.account.act(refusing('remove'));
      await author.account.hurry();
    }
    expect(await author.account.states()).toEqual(['failed']);
    expect(await shown()).toEqual([{ id, draft: true }]);
    await author.remove(id);
    await author.rest();
    expect([await saved('Drafts'), await saved('INBOX'), await shown()]).toEqual([
      [],
      ['Letter'],
      [{ id, draft: false }],
    ]);
  });

  it('leave the folders that show what lies in others, too, when they are deleted', async () => {
    const id = await author.create('Mirrored');
    await author.rest();
    await copy('Drafts', 'Archive');
    await engine.rows(`UPDATE categories SET role = 'all' WHERE path = 'Archive'`);
    await author.remove(id);
    await author.account.act();
    expect([await saved('Drafts'), await saved('Archive'), await shown()]).toEqual([[], [], []]);
  });
});
