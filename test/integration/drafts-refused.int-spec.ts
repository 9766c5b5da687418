import { ProviderError } from '#libs/providers/contracts/provider-error.js';
import { OldActions } from '#libs/sync/syncback/old-actions.js';

import type { Meddling } from '../support/acting-account.js';
import { DraftAuthor, subjectsOf } from '../support/draft-author.js';
import type { Engine } from '../support/engine.js';
import { letter } from '../support/letters.js';
import { refusing, servers } from '../support/meddling.js';

describe.each([servers[0], servers[2]])(
  'drafts that cannot be saved or deleted, or are saved late, on a server with %s',
  (_, dovecot) => {
    let engine: Engine;
    let author: DraftAuthor;

    beforeAll(async () => {
      author = await DraftAuthor.start({ dovecot });
      ({ engine } = author.account);
    });
    afterAll(() => author?.account.stop());
    beforeEach(() => author.beginAnew(['Drafts', 'Sent']));

    const drafts = async () => (await author.shown()).map(({ id, subject, version }) => ({ id, subject, version }));
    const saved = async (folder?: string) => subjectsOf(await author.saved(folder));
    const giveUp = async (meddling: Meddling) => {
      for (let time = 0; time < 3; time += 1) {
        await author.account.act(meddling);
        await author.account.hurry();
      }
    };
    const lastEvent = async () =>
      (
        await engine.rows<{ message: string }>(
          `SELECT message FROM account_events WHERE kind = 'action.failed' ORDER BY at DESC LIMIT 1`,
        )
      )[0]?.message;
    /** Saves the draft, and gives what a worker would append that woke up too late. */
    const lateCopy = async (): Promise<string> => {
      const sources: Buffer[] = [];
      await author.account.act((driver) => ({
        append: (path, source, ...rest) => {
          sources.push(Buffer.from(source));
          return driver.append(path, source, ...rest);
        },
      }));
      return sources[0]!.toString('latin1');
    };
    const appendLate = (source: string, folder = 'Drafts') => author.account.client.append(folder, source, ['\\Seen']);

    it('stay here when the provider refuses to save them, however long', async () => {
      const id = await author.create('Refused');
      await giveUp(refusing('append'));
      expect(await author.account.jobs()).toEqual([
        expect.objectContaining({ action: 'save_draft', status: 'failed', reason: 'The server will not append.' }),
      ]);
      expect(await lastEvent()).toBe(
        'What was written could not be saved at the provider, and is kept here: The server will not append.',
      );
      await engine.rows(`UPDATE actions SET settled_at = now() - interval '30 days'`);
      await engine.app.get(OldActions).clean(Date.now() + 5000);
      await engine.rows(`UPDATE messages SET orphaned_at = now() - interval '1 day'`);
      await author.rest();
      expect(await drafts()).toEqual([{ id, subject: 'Refused', version: 0 }]);
      await author.update(id, 0, { subject: 'Taken' });
      await author.rest();
      expect(await saved()).toEqual(['Taken']);
      // From then on it goes with its copy again.
      await author.empty('Drafts');
      await author.rest();
      expect(await drafts()).toEqual([]);
      await engine.app.get(OldActions).clean(Date.now() + 5000);
      expect((await author.account.states()).toSorted()).toEqual(['successful']);
    });

    it('go with their copy when a later version could be saved, though it is forgotten by now that one could not', async () => {
      const id = await author.create('Refused');
      await giveUp(refusing('append'));
      await author.update(id, 0, { subject: 'Taken' });
      await author.rest();
      await engine.rows(`UPDATE actions SET settled_at = now() - interval '30 days'`);
      await engine.app.get(OldActions).clean(Date.now() + 5000);
      expect(await author.account.states()).toEqual([]);
      await author.empty('Drafts');
      await author.rest();
      expect(await drafts()).toEqual([]);
    });

    it('come back, as they were, when the provider refuses to delete them', async () => {
      const id = await author.create('Mine');
      await author.rest();
      await author.update(id, 0, { subject: 'Mine, changed' });
      await author.account.client.append('Drafts', letter({ name: 'theirs' }), ['\\Draft']);
      await author.rest();
      const before = await drafts();
      expect(before.map(({ subject }) => subject)).toEqual(['Mine, changed', 'theirs']);
      await engine.rows('DELETE FROM actions');
      for (const draft of before) await author.remove(draft.id);
      // While that is tried they are gone, whatever a pass sees.
      await author.account.act(refusing('remove'));
      await author.account.round();
      expect(await drafts()).toEqual([]);
      const told = await author.account.told(() => giveUp(refusing('remove')));
      expect(told.filter((change) => change.endsWith('draft'))).toEqual(['create draft', 'create draft']);
      expect((await drafts()).toSorted((a, b) => (a.subject < b.subject ? -1 : 1))).toEqual(before);
      expect(await author.account.states()).toEqual(['failed', 'failed']);
      expect(await lastEvent()).toContain('given up, and taken back here: The server will not remove.');
      await author.rest();
      await author.update(id, 1, { subject: 'Mine for good' });
      await author.rest();
      expect((await saved()).toSorted()).toEqual(['Mine for good', 'theirs']);
      for (const draft of await drafts()) await author.remove(draft.id);
      await author.rest();
      expect([await saved(), await drafts()]).toEqual([[], []]);
    });

    it('are deleted from a folder that was renumbered, too', async () => {
      const id = await author.create('Numbered anew');
      await author.rest();
      await author.account.client.mailboxClose();
      const uidValidity = String(Math.floor(Date.now() / 1000) + 10);
      await engine.dovecot.doveadm(
        'mailbox',
        'update',
        '-u',
        'ada@example.com',
        '--uid-validity',
        uidValidity,
        'Drafts',
      );
      await author.remove(id);
      await author.account.act();
      expect(await saved()).toEqual([]);
      await author.rest();
      expect(await drafts()).toEqual([]);
    });

    it('wait, and say why, while their folder was renumbered and cannot be read', async () => {
      const id = await author.create('Waiting');
      await author.rest();
      await author.account.client.mailboxClose();
      const uidValidity = String(Math.floor(Date.now() / 1000) + 20);
      const user = ['-u', 'ada@example.com'];
      await engine.dovecot.doveadm('mailbox', 'update', ...user, '--uid-validity', uidValidity, 'Drafts');
      const unreadable: Meddling = (driver) => ({
        newest: (path, count) =>
          path === 'Drafts'
            ? Promise.reject(new ProviderError('rejected', 'The server will not list it.'))
            : driver.newest(path, count),
      });
      await author.account.round(unreadable);
      await author.update(id, 0, { subject: 'Still waiting' });
      await author.account.act(unreadable);
      const [, job] = await author.account.jobs();
      expect(job).toMatchObject({
        action: 'save_draft',
        status: 'pending',
        reason: 'The server has renumbered folder Drafts, which cannot be read: The server will not list it.',
      });
      expect(await drafts()).toEqual([{ id, subject: 'Still waiting', version: 1 }]);
      await engine.rows('UPDATE folder_syncs SET retry_at = NULL');
      await author.account.hurry();
      await author.rest();
      await author.account.hurry();
      await author.rest();
      expect(await saved()).toEqual(['Still waiting']);
      expect(await drafts()).toEqual([{ id, subject: 'Still waiting', version: 1 }]);
      expect(await author.account.states()).toEqual(['successful', 'successful']);
    });

    it('have one copy, though a worker that was taken for dead saves another later', async () => {
      const id = await author.create('Saved twice');
      const late = await lateCopy();
      await author.rest();
      await appendLate(late);
      await author.rest();
      expect(await saved()).toEqual(['Saved twice']);
      await author.update(id, 0, { subject: 'Newer' });
      await author.rest();
      await appendLate(late);
      await author.rest();
      expect(await saved()).toEqual(['Newer']);
      expect(await drafts()).toEqual([{ id, subject: 'Newer', version: 1 }]);
      await author.editElsewhere('Newer elsewhere', { keepOld: true });
      await author.rest();
      await author.remove(id);
      await author.rest();
      for (let time = 0; time < 2; time += 1) await appendLate(late);
      await author.rest();
      expect([await saved(), await drafts()]).toEqual([[], []]);
      expect(new Set(await author.account.states())).toEqual(new Set(['successful']));
    });

    it('have one copy among sent mail, and none among drafts, after such a worker', async () => {
      const id = await author.create('Sent twice');
      const lateDraft = await lateCopy();
      await author.rest();
      await engine.rows('UPDATE messages SET draft = false, sent = true WHERE id = $1', [id]);
      await engine.rows(`INSERT INTO actions (account_id, id, kind, object_id) VALUES ($1, 'sent', 'sent.save', $2)`, [
        author.account.id,
        id,
      ]);
      await engine.rows(
        `INSERT INTO actions (account_id, id, kind, object_id, details)
       SELECT $1, 'drop', 'draft.delete', $2, jsonb_build_object('madeHere', true, 'places', jsonb_agg(
         jsonb_build_object('folderId', place.folder_id, 'uid', place.uid, 'uidValidity', cursor->>'uidValidity')))
       FROM message_uids place JOIN folder_syncs USING (account_id, folder_id) WHERE message_id = $2`,
        [author.account.id, id],
      );
      const late = await lateCopy();
      await author.rest();
      expect([await saved('Sent'), await saved()]).toEqual([['Sent twice'], []]);
      await appendLate(late, 'Sent');
      // The provider's own copy is not ours to remove.
      await appendLate(late.replace('Subject:', 'X-Filed: yes\r\nSubject:'), 'Sent');
      await appendLate(lateDraft);
      await author.rest();
      expect([await saved('Sent'), await saved()]).toEqual([['Sent twice', 'Sent twice'], []]);
      expect(await author.shown()).toEqual([expect.objectContaining({ id, draft: false })]);
    });
  },
);
