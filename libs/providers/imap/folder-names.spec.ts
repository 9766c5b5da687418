import { namesByRole, roleByName } from './folder-names.js';

describe('roleByName', () => {
  it('gives every known name to one role only', () => {
    const roles = new Map<string, string>();
    for (const [role, names] of Object.entries(namesByRole)) {
      for (const name of names) {
        expect([name, roles.get(name) ?? role]).toEqual([name, role]);
        roles.set(name, role);
        expect([name, roleByName(name)]).toEqual([name, role]);
      }
    }
  });

  it.each([
    ['Sent Mail', 'sent'],
    ['SENT ITEMS', 'sent'],
    ['Sent Messages', 'sent'],
    ['sent_items', 'sent'],
    ['Ｓｅｎｔ', 'sent'],
    ['Gesendete Elemente', 'sent'],
    ['送信済みメール', 'sent'],
    ['Draft Folder', 'drafts'],
    ['My Drafts', 'drafts'],
    ['BROUILLONS', 'drafts'],
    ['Entwu\u0308rfe', 'drafts'],
    ['Deleted Messages', 'trash'],
    ['Trash (2)', 'trash'],
    ['Корзина', 'trash'],
    ['ÇÖP KUTUSU', 'trash'],
    ['Bulk Mail', 'spam'],
    ['Junk E-mail', 'spam'],
    ['İSTENMEYEN', 'spam'],
    ['垃圾郵件', 'spam'],
    ['Archive', 'archive'],
    ['ARCHÍVUM', 'archive'],
  ])('takes %s for %s', (name, role) => {
    expect(roleByName(name)).toBe(role);
  });

  it.each(['', 'Taxes', 'Sent to Bob', 'Mail', 'Not spam', 'constructor', '__proto__', '(2)', 'Invoices sent'])(
    'makes nothing of %j',
    (name) => {
      expect(roleByName(name)).toBeNull();
    },
  );
});
