import type { CategoryRow } from '../folders/account-categories.js';

import { tagEffects } from './tag-effects.js';

const row = (id: string, role: string | null, name: string, kind: CategoryRow['kind'] = 'folder'): CategoryRow => ({
  id,
  kind,
  role,
  path: name,
  display_name: name,
});

const categories = [
  row('f1', 'inbox', 'INBOX'),
  row('f2', 'spam', 'Junk'),
  row('f3', null, 'Taxes'),
  row('f4', 'sent', 'Sent Items'),
  row('t1', null, 'later', 'tag'),
];
const effects = (add: string[], remove: string[] = []) => tagEffects(categories, { add, remove });
const nothing = { seen: false, moves: [], added: [], removed: [] };

describe('tagEffects', () => {
  it.each([
    [['unread'], [], { unread: true }],
    [[], ['unread'], { unread: false, seen: true }],
    [[], ['unseen'], { seen: true }],
    [['starred'], [], { starred: true }],
    [[], ['starred'], { starred: false }],
    [['inbox'], [], { moves: [{ to: 'inbox', from: null }] }],
    [['archive'], [], { moves: [{ to: 'archive', from: ['inbox', 'spam', 'trash'] }] }],
    [['spam'], [], { moves: [{ to: 'spam', from: null }] }],
    [['trash'], [], { moves: [{ to: 'trash', from: null }] }],
    [[], ['inbox'], { moves: [{ to: 'archive', from: ['inbox'] }] }],
    [[], ['archive'], { moves: [{ to: 'inbox', from: ['archive'] }] }],
    [[], ['spam'], { moves: [{ to: 'inbox', from: ['spam'] }] }],
    [[], ['trash'], { moves: [{ to: 'inbox', from: ['trash'] }] }],
    [['t1'], [], { added: ['t1'] }],
    [[], [' Later '], { removed: ['t1'] }],
    [['Junk'], [], { moves: [{ to: 'spam', from: null }] }],
  ])('adding %j and removing %j', (add, remove, expected) => {
    expect(effects(add, remove)).toEqual({ ...nothing, ...expected });
  });

  it('removes before it adds', () => {
    expect(effects(['unread', 'trash', 'later'], ['unread', 'inbox', 'later'])).toEqual({
      seen: true,
      unread: true,
      moves: [
        { to: 'archive', from: ['inbox'] },
        { to: 'trash', from: null },
      ],
      added: ['t1'],
      removed: ['t1'],
    });
  });

  it.each(['drafts', 'sent', 'sending', 'attachment', 'important', 'all', 'unseen', 'Taxes', 'f3', 'Sent Items'])(
    'refuses to add %s',
    (name) => {
      expect(() => effects([name])).toThrow(`Cannot add read-only tag ${name}`);
    },
  );

  it.each(['drafts', 'sent', 'attachment', 'taxes'])('refuses to remove %s', (name) => {
    expect(() => effects([], [name])).toThrow(`Cannot remove read-only tag ${name}`);
  });

  it('finds no tag that nobody has', () => {
    expect(() => effects(['nobody'])).toThrow("Couldn't find tag nobody");
  });
});
