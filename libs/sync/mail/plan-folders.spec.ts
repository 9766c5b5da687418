import type { RemoteFolder } from '#libs/providers/contracts/mail-driver.js';

import { type KnownFolder, planFolders, unidentified } from './plan-folders.js';

const cursor = { uidValidity: '9', modseq: '5', uidNext: 12, messages: 3 };
const known = (path: string, fields: Partial<KnownFolder> = {}): KnownFolder => ({
  id: `id-${path}`,
  path,
  displayName: path,
  role: null,
  cursor,
  ...fields,
});
const remote = (path: string, fields: Partial<RemoteFolder> = {}): RemoteFolder => ({
  path,
  displayName: path,
  delimiter: '/',
  role: null,
  mailboxId: null,
  status: { messages: 3, uidNext: 12, uidValidity: '9', highestModseq: '5' },
  ...fields,
});

describe('planFolders', () => {
  it('finds new, changed and missing folders', () => {
    const plan = planFolders(
      [known('a'), known('b')],
      [remote('a', { role: 'archive' }), remote('c', { status: null })],
    );
    expect(plan.create.map((folder) => folder.path)).toEqual(['c']);
    expect(plan.change).toMatchObject([{ id: 'id-a', roleChanged: true }]);
    expect(plan.missing.map((folder) => folder.path)).toEqual(['b']);
  });

  it('knows a renamed folder by its MAILBOXID, whatever happened in it', () => {
    const plan = planFolders(
      [known('old', { cursor: { ...cursor, mailboxId: 'F1' } })],
      [remote('new', { mailboxId: 'F1', status: { messages: 9, uidNext: 99, uidValidity: '9', highestModseq: null } })],
    );
    expect(plan).toMatchObject({ create: [], missing: [], change: [{ id: 'id-old' }] });
  });

  it('takes no folder for another whose MAILBOXID it has not, though all counts agree', () => {
    const other = { ...cursor, mailboxId: 'F1' };
    expect(planFolders([known('old', { cursor: other })], [remote('new', { mailboxId: 'F2' })])).toMatchObject({
      change: [],
      create: [{ path: 'new' }],
      missing: [{ path: 'old' }],
    });
    expect(planFolders([known('old', { cursor: other })], [remote('new')]).change).toEqual([]);
  });

  it('has MAILBOXIDs asked only when a folder that has one is missing, and of folders nobody knows', () => {
    const identified = known('old', { cursor: { ...cursor, mailboxId: 'F1' } });
    const listing = [remote('new'), remote('kept')];
    const asked = (folders: KnownFolder[]) => unidentified(folders, listing).map(({ path }) => path);
    expect(asked([identified, known('kept')])).toEqual(['new']);
    expect(asked([known('old'), known('kept')])).toEqual([]);
    expect(asked([known('kept')])).toEqual([]);
  });

  it('knows a renamed folder by counts that all agree', () => {
    expect(planFolders([known('old')], [remote('new')]).change).toMatchObject([{ id: 'id-old', roleChanged: false }]);
  });

  it.each([
    ['another UIDVALIDITY', { messages: 3, uidNext: 12, uidValidity: '8', highestModseq: '5' }],
    ['another count', { messages: 4, uidNext: 12, uidValidity: '9', highestModseq: '5' }],
    ['no counts', null],
  ])('takes a folder with %s for a new one', (_why, status) => {
    expect(planFolders([known('old')], [remote('new', { status })])).toMatchObject({
      change: [],
      missing: [{ path: 'old' }],
    });
  });

  it('does not guess which of two folders is which when all counts are the same', () => {
    const both = planFolders([known('one'), known('two')], [remote('to/one'), remote('to/two')]);
    expect(both).toMatchObject({ change: [], create: [{ path: 'to/one' }, { path: 'to/two' }] });
    expect(both.missing.map((folder) => folder.path)).toEqual(['one', 'two']);
    expect(planFolders([known('one')], [remote('to/one'), remote('to/two')]).change).toEqual([]);
    expect(planFolders([known('one'), known('two')], [remote('one'), remote('to/two')]).change).toMatchObject([
      { id: 'id-two' },
    ]);
  });
});
