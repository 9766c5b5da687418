import { type ListedFolder, remoteFolders } from './remote-folders.js';

const listed = (path: string, flags: string[] = [], delimiter: string | null = '/'): ListedFolder => ({
  path,
  delimiter,
  flags: new Set(flags),
  status: null,
  mailboxId: null,
});

const roles = (folders: ListedFolder[], prefix = '') =>
  Object.fromEntries(remoteFolders(folders, prefix).map(({ path, role }) => [path, role]));

describe('remoteFolders', () => {
  it('believes flags before names', () => {
    expect(roles([listed('Sent'), listed('Verschickt', ['\\Sent']), listed('Trash')])).toEqual({
      Sent: null,
      Verschickt: 'sent',
      Trash: 'trash',
    });
  });

  it('lets several folders carry the same flag', () => {
    expect(roles([listed('A', ['\\Sent']), listed('B', ['\\SENT'])])).toEqual({ A: 'sent', B: 'sent' });
  });

  it('gives a role to one folder by name, the one nearest to the top', () => {
    const folders = [listed('Old/Sent'), listed('Sent Items'), listed('Gesendet'), listed('Archive/Trash')];
    expect(roles(folders)).toEqual({
      'Old/Sent': null,
      'Sent Items': null,
      Gesendet: 'sent',
      'Archive/Trash': 'trash',
    });
  });

  it('leaves out what cannot be opened, and doubles', () => {
    const folders = [listed('A', ['\\NoSelect']), listed('B', ['\\NonExistent']), listed('C'), listed('C'), listed('')];
    expect(Object.keys(roles(folders))).toEqual(['C']);
  });

  it('takes only the top INBOX for the inbox', () => {
    expect(roles([listed('INBOX', ['\\Junk']), listed('Old/INBOX')])).toEqual({ INBOX: 'inbox', 'Old/INBOX': null });
  });

  it('shows names with slashes and without the personal prefix', () => {
    const folders = [listed('INBOX', [], '.'), listed('INBOX.Taxes.2024', [], '.'), listed('Shared.Team', [], '.')];
    expect(remoteFolders(folders, 'INBOX.').map(({ displayName }) => displayName)).toEqual([
      'INBOX',
      'Taxes/2024',
      'Shared/Team',
    ]);
  });

  it('composes accents and keeps names that look like machinery', () => {
    const [folder, odd] = remoteFolders([listed('Entwu\u0308rfe', [], null), listed('__proto__')], '');
    expect(folder).toMatchObject({ displayName: 'Entwürfe', role: 'drafts', path: 'Entwu\u0308rfe' });
    expect(odd).toMatchObject({ displayName: '__proto__', role: null });
  });
});
