import { folderPath, type NamedFolder, renamed } from './folder-path.js';

const folder = (path: string, displayName = path, delimiter: string | null = '/'): NamedFolder => ({
  path,
  displayName,
  delimiter,
});
const slash = [folder('INBOX'), folder('Work/2026')];
const courier = [folder('INBOX', 'INBOX', '.'), folder('INBOX.Work.2026', 'Work/2026', '.')];
const flat = [folder('INBOX', 'INBOX', null), folder('Work', 'Work', null)];

describe('folderPath', () => {
  it.each([
    ['Taxes', slash, 'Taxes'],
    ['Taxes/2024', slash, 'Taxes/2024'],
    ['Taxes.2024', slash, 'Taxes.2024'],
    ['Taxes/2024', courier, 'INBOX.Taxes.2024'],
    ['Taxes', flat, 'Taxes'],
    ['Taxes', [], 'Taxes'],
    ['Größe', slash, 'Größe'],
  ])('%s among others', (name, others, expected) => {
    expect(folderPath(name, others)).toBe(expected);
  });

  it.each([
    ['/Taxes', slash, '"display_name" must be a valid string'],
    ['Taxes//2024', slash, '"display_name" must be a valid string'],
    ['Taxes/ ', slash, '"display_name" must be a valid string'],
    ['Taxes.2024', courier, '"display_name" must not contain "."'],
    ['Taxes/2024', flat, '"display_name" must not contain "/": this account has no nested folders'],
  ])('refuses %s', (name, others, message) => {
    expect(() => folderPath(name, others)).toThrow(message);
  });
});

describe('renamed', () => {
  const folders = [
    { ...folder('A/B'), id: 'b' },
    { ...folder('A/B/C'), id: 'c' },
    { ...folder('A/Bee'), id: 'bee' },
  ];

  it('takes along what is below, and nothing that merely begins alike', () => {
    const after = renamed(folders, { id: 'b', newPath: 'B' });
    expect(after.map(({ path }) => path)).toEqual(['B', 'B/C', 'A/Bee']);
    expect(renamed(folders, { id: 'gone', newPath: 'B' })).toEqual(folders);
  });
});
