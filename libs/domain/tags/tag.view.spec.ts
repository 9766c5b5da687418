import type { CategoryRow } from '../folders/account-categories.js';

import { tagsOfAccount } from './tag.view.js';

const row = (id: string, role: string | null, name: string, kind: CategoryRow['kind'] = 'folder'): CategoryRow => ({
  id,
  kind,
  role,
  path: name,
  display_name: name,
});

describe('tagsOfAccount', () => {
  const tags = tagsOfAccount('acc', [
    row('f1', 'inbox', 'INBOX'),
    row('f2', 'spam', 'Junk'),
    row('f3', null, 'Taxes/2024'),
    row('f4', 'important', 'Important'),
    row('t1', null, 'later', 'tag'),
  ]);

  it('lists the canonical tags first, each once, then folders and own tags by name', () => {
    expect(tags.map((tag) => tag.id)).toEqual([
      'inbox',
      'drafts',
      'sent',
      'spam',
      'starred',
      'unread',
      'unseen',
      'attachment',
      'important',
      'f3',
      't1',
    ]);
    expect(tags.at(-2)).toMatchObject({ name: 'taxes/2024', readonly: true });
  });

  it('marks as read-only what can be neither added nor removed', () => {
    const readonly = tags.filter((tag) => tag.readonly).map((tag) => tag.id);
    expect(readonly).toEqual(['drafts', 'sent', 'attachment', 'important', 'f3']);
  });
});
