import { textQuery } from './mail-search.js';

describe('textQuery', () => {
  it.each([
    ['word', { text: 'word' }],
    ['"two words"', { text: 'two words' }],
    ['one "two words"', { not: { or: [{ not: { text: 'one' } }, { not: { text: 'two words' } }] } }],
    ['"open end', { text: 'open end' }],
    ['""', { text: '""' }],
  ])('%s', (text, query) => {
    expect(textQuery(text)).toEqual(query);
  });
});
