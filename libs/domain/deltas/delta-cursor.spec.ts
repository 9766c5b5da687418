import { newId } from '#libs/common/ids.js';

import { BEGINNING, readCursor, spellCursor } from './delta-cursor.js';

const ACCOUNT = '0mf2k3v9x1a2b3c4d5e6f7g8h';

describe('cursors', () => {
  it.each([0, 1, 41, 2 ** 40])('position %d has one spelling, which leads back to it', (seq) => {
    const cursor = spellCursor(ACCOUNT, seq);
    expect(cursor).toMatch(/^[0-9a-z]{25}$/);
    expect(spellCursor(ACCOUNT, seq)).toBe(cursor);
    expect(readCursor(ACCOUNT, cursor)).toBe(seq);
  });

  it('keep their spelling for ever: clients store them', () => {
    expect(spellCursor(ACCOUNT, 1)).toBe('28590sbsq3nfq19o20f4a1una');
  });

  it('0 is the beginning, which is not the position before the first change', () => {
    expect(readCursor(ACCOUNT, '0')).toBe(BEGINNING);
    expect(spellCursor(ACCOUNT, BEGINNING)).toBe('0');
  });

  it('none is taken for one of another account', () => {
    expect(readCursor(newId(), spellCursor(ACCOUNT, 7))).toBeNull();
  });

  it.each(['', '00', '7', 'z'.repeat(25), 'a'.repeat(24), `${spellCursor(ACCOUNT, 7)}0`, newId(), 'A'.repeat(25)])(
    '%j is none',
    (text) => {
      expect(readCursor(ACCOUNT, text)).toBeNull();
    },
  );
});
