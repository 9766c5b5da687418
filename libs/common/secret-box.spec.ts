import { randomBytes } from 'node:crypto';

import { SealError, SecretBox } from './secret-box.js';

const key = (id: string) => ({ id, key: randomBytes(32) });

describe('SecretBox', () => {
  const [older, newer] = [key('k1'), key('k2')];
  const box = new SecretBox([older]);

  it('opens what it sealed, any text', () => {
    for (const text of ['', 'hunter2', 'Grüße 🗝 \u0000', 'x'.repeat(100_000)]) {
      expect(box.open(box.seal(text, 'acc'), 'acc')).toBe(text);
    }
  });

  it('seals the same text differently every time and never in the clear', () => {
    const [one, two] = [box.seal('hunter2', 'acc'), box.seal('hunter2', 'acc')];
    expect(one).not.toBe(two);
    expect(one).not.toContain(Buffer.from('hunter2').toString('base64url'));
  });

  it('stays shut for another account', () => {
    expect(() => box.open(box.seal('hunter2', 'acc'), 'other')).toThrow(SealError);
  });

  it('opens old secrets after a change of keys and says which are old', () => {
    const sealed = box.seal('hunter2', 'acc');
    const rotated = new SecretBox([newer, older]);
    expect(rotated.open(sealed, 'acc')).toBe('hunter2');
    expect(rotated.isCurrent(sealed)).toBe(false);
    expect(rotated.isCurrent(rotated.seal('hunter2', 'acc'))).toBe(true);
    expect(() => new SecretBox([newer]).open(sealed, 'acc')).toThrow('key "k1", which SECRET_KEYS no longer holds');
    expect(() => new SecretBox([{ ...newer, id: 'k1' }]).open(sealed, 'acc')).toThrow('not the one it was sealed with');
  });

  it.each(['', 'plain', 'v1.k1.AAAA.BBBB', 'v2.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAA'])(
    'refuses %j as not its own',
    (text) => expect(() => box.open(text, 'acc')).toThrow('not in a form'),
  );

  it('notices a changed byte', () => {
    const parts = box.seal('hunter2', 'acc').split('.');
    const body = Buffer.from(parts[3]!, 'base64url');
    body[0]! ^= 1;
    expect(() => box.open([...parts.slice(0, 3), body.toString('base64url')].join('.'), 'acc')).toThrow(SealError);
  });

  it('refuses an empty ring and two keys of one name', () => {
    expect(() => new SecretBox([])).toThrow('no key');
    expect(() => new SecretBox([older, { ...newer, id: 'k1' }])).toThrow('alike');
  });
});
