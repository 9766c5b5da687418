import { credentialOf } from './credential.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('credentialOf', () => {
  it.each([
    ['Bearer abc123', 'abc123'],
    ['bearer   abc123 ', 'abc123'],
    [basic('abc123:'), 'abc123'],
    [basic('abc123:None'), 'abc123'],
    [basic('abc123:a:b'), 'abc123'],
    [basic('abc123'), 'abc123'],
  ])('%s', (header, token) => {
    expect(credentialOf(header)).toBe(token);
  });

  it.each([[undefined], [''], ['Basic'], ['Bearer '], [basic(':password')], ['Digest abc'], ['Bearer a b']])(
    'finds nothing in %s',
    (header) => {
      expect(credentialOf(header)).toBeNull();
    },
  );
});
